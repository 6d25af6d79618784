// Plans joins by foreign key: subscriptions to the right table's tasks, answers back to the left one's; knows no clause.

import { assert } from '../base/assert.ts';
import type { FromJoin } from '../analyze/analysis.ts';
import { columnsWithRole, schema, type SchemaColumn } from '../data/schema.ts';
import { BYTES } from '../data/type.ts';
import { columnsRead } from '../expr/expr.ts';
import { asValues } from './columns.ts';
import { buildSource, canFuse, headColumns, splitNeeded, withValues } from './join-sides.ts';
import { merged } from './merge.ts';
import type { Built, Part } from './builder.ts';
import type { Planner } from './planner.ts';
import { internalTopic } from './rare-nodes.ts';
import { remapped } from './remap.ts';
import type { ForeignKeyJoinStep, ForeignKeyRespondStep } from './join-step.ts';
import type { Step, StepId } from './step.ts';

const SUBSCRIPTION: SchemaColumn = { name: 'SUBSCRIPTION', type: BYTES, role: 'value' };
const FOREIGN_KEY = 'FOREIGN_KEY';

/** The steps of the three: who subscribes, who answers, and who puts rows and answers together. */
export function buildForeignKeyJoin(
  planner: Planner,
  join: FromJoin,
  needed: ReadonlySet<number>,
): Built {
  const sides = new ForeignKeySides(planner, join, needed);
  const { left, right } = join;
  assert(left.from.from === 'source', 'a join by foreign key is the first');
  const counts = [left.from.source.partitions, right.from.source.partitions];
  if (!canFuse(planner, ...counts)) return sides.apart();
  planner.noteFused({ fused: true, why: 'the topics that are joined have one partition' });
  return sides.together();
}

class ForeignKeySides {
  readonly #planner: Planner;
  readonly #join: FromJoin;
  readonly #type: 'INNER' | 'LEFT';
  readonly #split: ReturnType<typeof splitNeeded>;
  readonly #left: { readonly built: Built; readonly part: Part };
  readonly #right: { readonly built: Built; readonly part: Part };

  constructor(planner: Planner, join: FromJoin, needed: ReadonlySet<number>) {
    this.#planner = planner;
    this.#join = join;
    assert(join.type === 'INNER' || join.type === 'LEFT', 'the left table gives the key');
    this.#type = join.type;
    this.#split = splitNeeded(join, needed);
    const { left, right } = join;
    assert(left.from.from === 'source', 'a join by foreign key is the first');
    const leftNeeded = new Set([...this.#split.left, ...columnsRead(left.key)]);
    const leftSource = buildSource(planner, left.from, leftNeeded, true);
    const leftBuilt = withValues(planner, leftSource, { needed: leftNeeded, isPadded: false });
    this.#left = { built: leftBuilt, part: planner.part };
    const rightSource = buildSource(planner, right.from, this.#split.right, false);
    const options = { needed: this.#split.right, isPadded: false };
    this.#right = { built: withValues(planner, rightSource, options), part: planner.part };
  }

  /** All in one task: a row goes all the way before the next one, so that its answer is still awaited. */
  together(): Built {
    const planner = this.#planner;
    const meeting = merged(planner, this.#left, this.#right);
    const [leftId, rightId] = meeting.ids;
    const subscribe = this.#subscribe(leftId);
    const respond = this.#respond(subscribe.id, rightId);
    const join = this.#joinStep(leftId, respond.id);
    // The join keeps a row before it is subscribed for; where both tables are one topic, the right one has the row by then, too.
    const at = meeting.part.steps.findIndex(({ id }) => id === leftId) + 1;
    assert(at > 0, 'the left side is one of the steps');
    const { steps } = meeting.part;
    const all = [...steps.slice(0, at), join, ...steps.slice(at), subscribe, respond];
    planner.part = { ...meeting.part, steps: all, rowByRow: true };
    return this.#built(join);
  }

  /** Two tasks and two topics between them. */
  apart(): Built {
    const planner = this.#planner;
    const { left, right } = this.#join;
    assert(left.from.from === 'source', 'a join by foreign key is the first');
    const why = 'the rows of a foreign key join are in tasks by either key';
    planner.noteFused({ fused: false, why });
    const subscribe = this.#subscribe(this.#left.built.id);
    const rightSource = right.from.source;
    const subscriptions = internalTopic(planner, rightSource.partitions);
    const toRight: Step = {
      step: 'repartition',
      id: subscriptions.writing,
      input: subscribe.id,
      schema: subscribe.schema,
      topic: subscriptions.topic,
      partitions: rightSource.partitions,
      keyFormat: rightSource.keyFormat,
    };
    const respond = this.#respond(subscriptions.reading, this.#right.built.id);
    const leftSource = left.from.source;
    const responses = internalTopic(planner, leftSource.partitions);
    planner.part = {
      partitions: rightSource.partitions,
      steps: [
        {
          step: 'internalSource',
          id: subscriptions.reading,
          topic: subscriptions.topic,
          schema: subscribe.schema,
        },
        ...this.#right.part.steps,
        respond,
        {
          step: 'repartition',
          id: responses.writing,
          input: respond.id,
          schema: respond.schema,
          topic: responses.topic,
          partitions: leftSource.partitions,
          keyFormat: leftSource.keyFormat,
        },
      ],
    };
    planner.finish();
    const join = this.#joinStep(this.#left.built.id, responses.reading);
    planner.part = {
      partitions: leftSource.partitions,
      steps: [
        ...this.#left.part.steps,
        {
          step: 'internalSource',
          id: responses.reading,
          topic: responses.topic,
          schema: respond.schema,
        },
        join,
        subscribe,
        toRight,
      ],
    };
    return this.#built(join);
  }

  #subscribe(input: StepId): Step & { readonly step: 'foreignKeySubscribe' } {
    const { key } = this.#join.left;
    const { schema: of, layout } = this.#left.built;
    return {
      step: 'foreignKeySubscribe',
      id: this.#planner.id(),
      input,
      foreignKey: remapped(key, layout),
      type: this.#type,
      schema: schema([
        { name: FOREIGN_KEY, type: key.type, role: 'key' },
        ...asValues(of, columnsWithRole(of, 'key')),
        SUBSCRIPTION,
      ]),
    };
  }

  #respond(subscriptions: StepId, right: StepId): ForeignKeyRespondStep {
    const keys = this.#left.built.schema.columns.filter(({ role }) => role === 'key');
    return {
      step: 'foreignKeyRespond',
      id: this.#planner.id(),
      subscriptions,
      right,
      type: this.#type,
      schema: schema([...keys, SUBSCRIPTION, ...this.#rightValues()]),
    };
  }

  /** The right table's columns as values, key columns first, under their names in the join. */
  #rightValues(): SchemaColumn[] {
    return this.#named(this.#right.built, this.#split.rightAt);
  }

  #named({ schema: of, layout }: Built, rowAt: (index: number) => number): SchemaColumn[] {
    const { columns } = this.#join.row;
    const names = new Map([...layout].map(([index, at]) => [at, columns[rowAt(index)]?.name]));
    return of.columns.map((column, at) => ({
      ...column,
      name: names.get(at) ?? column.name,
      role: 'value',
    }));
  }

  #joinStep(left: StepId, responses: StepId): ForeignKeyJoinStep {
    const keys = headColumns(this.#join);
    const leftValues = this.#named(this.#left.built, this.#split.leftAt).slice(keys.length);
    return {
      step: 'foreignKeyJoin',
      id: this.#planner.id(),
      left,
      responses,
      type: this.#type,
      schema: schema([...keys, ...leftValues, ...this.#rightValues()]),
    };
  }

  #built({ id, schema: emitted }: ForeignKeyJoinStep): Built {
    const keys = headColumns(this.#join).length;
    const layout = new Map(Array.from({ length: keys }, (_, index) => [index, index]));
    for (const [index, at] of this.#left.built.layout) layout.set(this.#split.leftAt(index), at);
    const before = this.#left.built.schema.columns.length;
    for (const [index, at] of this.#right.built.layout) {
      layout.set(this.#split.rightAt(index), before + at);
    }
    return { id, schema: emitted, layout };
  }
}
