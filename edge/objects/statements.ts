// Statements of a catalog, one after the other: analysis, change, answer; every change is one transaction with its effects. Calls nobody.

import type {
  AnalyzeOptions,
  ControlAnalysis,
  CreateSourceAnalysis,
  InsertValuesAnalysis,
  QueryAnalysis,
} from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { exhaustive } from '../../runtime/base/assert.ts';
import { StatementError } from '../../runtime/base/errors.ts';
import { TIMESTAMP_AFTER_MS_MAX } from '../../runtime/base/limits.ts';
import { chance } from '../../runtime/engine/chance.ts';
import type { CatalogChange } from '../../runtime/engine/changes.ts';
import { assertTopic } from '../../runtime/engine/assert-topic.ts';
import { setVariable } from '../../runtime/engine/control.ts';
import {
  currentStatus,
  entity,
  type Entity,
  variablesEntity,
} from '../../runtime/engine/entities.ts';
import type { QueryState } from '../../runtime/engine/queries.ts';
import { internalTopic } from '../../runtime/engine/system.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planSourceTable } from '../../runtime/plan/source-table.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { TopicSpec } from '../../runtime/ports/log.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../../runtime/task/problem-records.ts';
import { taskId, tasksOf } from '../../runtime/task/topology.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { processorName } from '../names.ts';
import { registry } from '../registry.ts';
import { answer } from './answers.ts';
import type { CatalogEffect } from './catalog-effects.ts';
import type { EntryTables } from './entry-tables.ts';
import type { MigrationRun } from './migrations.ts';
import { type Script, setProperty } from './prepare.ts';
import type { TopicTables } from './topic-tables.ts';

/** What statements work on. */
export interface StatementsOptions {
  readonly tenant: string;
  readonly entries: EntryTables;
  readonly topics: TopicTables;
  /** Runs the body in one transaction and sends its effects once that has succeeded. */
  readonly commit: (body: () => { readonly effects: readonly CatalogEffect[] }) => void;
  /** Appends the record of INSERT VALUES. */
  readonly insert: (analysis: InsertValuesAnalysis) => Promise<void>;
  /** Which statements are passed over, and what is noted of the others; absent: none, nothing. */
  readonly run?: MigrationRun | undefined;
  /** How the queries stand, by id. */
  readonly states: () => Promise<ReadonlyMap<string, QueryState>>;
}

/** What a script came to: the entities of the statements that were done, and where it stopped. */
export interface ScriptOutcome {
  readonly entities: readonly Entity[];
  readonly failed: {
    readonly text: string;
    readonly thrown: unknown;
    /** true: the statement belongs to the query routes. */
    readonly isQuery: boolean;
  } | null;
}

const SYSTEM_TOPICS: readonly TopicSpec[] = [
  internalTopic(PROCESSING_LOG_TOPIC),
  internalTopic(DEAD_LETTERS_TOPIC),
];

/** Runs a script. A text that does not parse is refused as a whole; else statements are done until one fails. */
export async function execute(script: Script, options: StatementsOptions): Promise<ScriptOutcome> {
  const statements = new Statements(options, new Map(script.properties), new Map(script.variables));
  const entities: Entity[] = [];
  let text = script.sql;
  try {
    for (const statement of parse(script.sql, script.variables)) {
      text = statement.text;
      if (statement.kind === 'Select' || statement.kind === 'Print') {
        return { entities, failed: { text, thrown: misplaced(statement), isQuery: true } };
      }
      if (options.run?.isDone(statement) === true) continue;
      const answer = await statements.run(statement);
      options.run?.note();
      if (answer !== null) entities.push(answer);
    }
  } catch (thrown) {
    return { entities, failed: { text, thrown, isQuery: false } };
  }
  return { entities, failed: null };
}

/** What statements are analyzed against now. */
export function analyzeOptions(
  { entries, topics }: Pick<StatementsOptions, 'entries' | 'topics'>,
  properties: ReadonlyMap<string, string>,
  queryNumber: number,
): AnalyzeOptions {
  const now = Date.now();
  return {
    catalog: entries.catalog,
    registry,
    formats: FORMATS,
    properties,
    queryNumber,
    callContext: { now, random: chance },
    topics: new Map(topics.list().map((topic) => [topic.name, topic])),
  };
}

/** The statements of one request; analysis, planning and commit of each are one synchronous turn. */
class Statements {
  readonly #options: StatementsOptions;
  readonly #properties: Map<string, string>;
  readonly #variables: Map<string, string>;

  constructor(
    options: StatementsOptions,
    properties: Map<string, string>,
    variables: Map<string, string>,
  ) {
    this.#options = options;
    this.#properties = properties;
    this.#variables = variables;
  }

  async run(statement: Statement): Promise<Entity | null> {
    const { text } = statement;
    const { entries } = this.#options;
    const number = entries.number + 1;
    const analysis = analyzeStatement(
      statement,
      analyzeOptions(this.#options, this.#properties, number),
    );
    switch (analysis.kind) {
      case 'createSource':
        return this.#createSource(text, analysis);
      case 'query':
        return this.#createQuery(statement, analysis);
      case 'pull':
        throw misplaced(statement);
      case 'insertValues':
        await this.#options.insert(analysis);
        return null;
      default:
        return this.#control(text, analysis);
    }
  }

  #createSource(text: string, { source, topic, warnings, query }: CreateSourceAnalysis): Entity {
    const spec = { ...topic, timestampAfterMaxMs: TIMESTAMP_AFTER_MS_MAX, internal: false };
    const plan =
      query === null
        ? null
        : planSourceTable(source, query, planningOptions(this.#properties, true));
    const change: CatalogChange =
      query === null || plan === null
        ? { change: 'source', source }
        : { change: 'query', query, source, plan };
    const sequence = this.#change(text, change, () => [
      ...this.#opened([spec]),
      ...this.#started(plan === null ? [] : [plan]),
    ]);
    const commandId = `${source.kind}/${source.name}/create`;
    const message = `${source.kind === 'stream' ? 'Stream' : 'Table'} ${source.name} created`;
    const queryId = query?.id ?? null;
    return currentStatus(text, { commandId, message, queryId, sequence }, warnings);
  }

  #createQuery(statement: Statement, analysis: QueryAnalysis): Entity {
    const { query, sink, creates, retentionMs, compacted, warnings, mode } = analysis;
    if (mode !== 'persistent' || query === null || sink === null) throw misplaced(statement);
    if (this.#options.entries.catalog.queries.has(query.id)) {
      const hint = 'DROP it first; an engine in a program or a page can replace a query that runs.';
      const what = `CREATE OR REPLACE of the running query ${query.id} is not supported yet`;
      throw new StatementError('UNSUPPORTED', what, statement.at, hint);
    }
    const plan = planQuery(analysis, planningOptions(this.#properties, true));
    const { topic: name, partitions } = sink;
    const specs: TopicSpec[] = [
      ...plan.internalTopics.map((topic) => internalTopic(topic.name, topic.partitions)),
      { name, partitions, retentionMs, compacted, internal: false },
    ];
    const change: CatalogChange = { change: 'query', query, source: creates ? sink : null, plan };
    const sequence = this.#change(statement.text, change, () => [
      ...this.#opened(specs),
      ...this.#started([plan]),
    ]);
    const commandId = `${sink.kind}/${sink.name}/create`;
    const message = `Created query with ID ${query.id}`;
    const status = { commandId, message, queryId: query.id, sequence };
    return currentStatus(statement.text, status, warnings);
  }

  async #control(text: string, analysis: ControlAnalysis): Promise<Entity> {
    const { entries } = this.#options;
    switch (analysis.kind) {
      case 'none':
        return entity('warning_entity', text, { message: analysis.message });
      case 'dropSource':
        return this.#drop(text, analysis);
      case 'terminate':
        return this.#terminate(text, analysis.queries);
      case 'createType': {
        const { name, type } = analysis;
        const sequence = this.#change(text, { change: 'type', name, type }, () => []);
        const message = `Registered custom type ${name}`;
        return currentStatus(text, {
          commandId: `type/${name}/create`,
          message,
          queryId: null,
          sequence,
        });
      }
      case 'dropType': {
        const { name } = analysis;
        const sequence = this.#change(text, { change: 'type', name, type: null }, () => []);
        const message = `Type ${name} dropped`;
        return currentStatus(text, {
          commandId: `type/${name}/drop`,
          message,
          queryId: null,
          sequence,
        });
      }
      case 'alterSource': {
        const { source } = analysis;
        const sequence = this.#change(text, { change: 'source', source }, () => []);
        const commandId = `${source.kind}/${source.name}/alter`;
        const message = `${source.kind === 'stream' ? 'Stream' : 'Table'} ${source.name} altered.`;
        return currentStatus(text, { commandId, message, queryId: null, sequence });
      }
      case 'pause':
        throw notYet(analysis.paused ? 'PAUSE' : 'RESUME', 'TERMINATE ends a query.');
      case 'set': {
        const { property, value, system } = analysis;
        if (system) throw notYet('ALTER SYSTEM', 'SET is for the statements of one request.');
        setProperty(this.#properties, property, value);
        return entity('properties', text, { property, value });
      }
      case 'define':
        setVariable(this.#variables, analysis.variable, analysis.value);
        return variablesEntity(text, this.#variables);
      case 'assertTopic': {
        const { topics } = this.#options;
        return assertTopic(text, analysis, async (topic) => topics.describe(topic), wallClock);
      }
      case 'show':
      case 'describe':
      case 'describeFunction':
      case 'explain': {
        const { topics, states } = this.#options;
        const [properties, variables] = [this.#properties, this.#variables];
        return answer(text, analysis, { entries, topics, states, properties, variables });
      }
      default:
        return exhaustive(analysis);
    }
  }

  #drop(text: string, analysis: ControlAnalysis & { readonly kind: 'dropSource' }): Entity {
    const { source, terminates, deleteTopic } = analysis;
    const { entries, topics } = this.#options;
    const found = deleteTopic ? topics.describe(source.topic) : null;
    const topic = found === null ? null : { name: found.name, incarnation: found.incarnation };
    const plan = terminates === null ? null : entries.plan(terminates);
    const change: CatalogChange = { change: 'drop', name: source.name, terminates, topic };
    const sequence = this.#change(text, change, () => [
      ...this.#ended(plan === null ? [] : [plan]),
      ...(topic === null ? [] : topics.remove(topic.name)),
    ]);
    const commandId = `${source.kind}/${source.name}/drop`;
    const suffix = topic === null ? '' : ` and its topic ${source.topic} deleted`;
    const message = `Source ${source.name} was dropped${suffix}.`;
    return currentStatus(text, { commandId, message, queryId: null, sequence });
  }

  #terminate(text: string, queries: readonly string[]): Entity {
    const plans = queries.flatMap((id) => this.#options.entries.plan(id) ?? []);
    const change: CatalogChange = { change: 'terminate', queries };
    const sequence = this.#change(text, change, () => this.#ended(plans));
    const ids = queries.join(', ');
    const message = ids === '' ? 'No query runs.' : `Query ${ids} terminated.`;
    const queryId = queries.length === 1 ? ids : null;
    return currentStatus(text, {
      commandId: `terminate/${ids}/execute`,
      message,
      queryId,
      sequence,
    });
  }

  /** Adds the change and what it asks of other objects, all or nothing. @returns the statement's number */
  #change(text: string, change: CatalogChange, effects: () => readonly CatalogEffect[]): number {
    const { entries, topics, commit } = this.#options;
    return entries.add(text, change, (write) =>
      commit(() => {
        write();
        topics.changed();
        return { effects: effects() };
      }),
    );
  }

  /** Makes those topics that do not exist, and the ones that every tenant has. */
  #opened(specs: readonly TopicSpec[]): CatalogEffect[] {
    const { topics, tenant } = this.#options;
    return [...SYSTEM_TOPICS, ...specs].flatMap((spec) =>
      topics.describe(spec.name) === null ? topics.create(tenant, spec).effects : [],
    );
  }

  #started(plans: readonly Plan[]): CatalogEffect[] {
    const { tenant } = this.#options;
    return plans.flatMap((plan) =>
      tasksOf(plan).map((task): CatalogEffect => {
        const object = processorName(tenant, taskId(task));
        return { effect: 'start', spec: { tenant, object, task, plan } };
      }),
    );
  }

  #ended(plans: readonly Plan[]): CatalogEffect[] {
    const { topics, tenant } = this.#options;
    return plans.flatMap((plan): CatalogEffect[] => [
      ...tasksOf(plan).map((task): CatalogEffect => {
        return { effect: 'remove', object: processorName(tenant, taskId(task)) };
      }),
      ...plan.internalTopics.flatMap(({ name }) =>
        topics.describe(name) === null ? [] : topics.remove(name),
      ),
    ]);
  }
}

function notYet(what: string, hint: string): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, null, hint);
}

function misplaced(statement: Statement): StatementError {
  const what = statement.kind === 'Print' ? 'PRINT' : 'a SELECT';
  const hint = 'Send it to /query or /query-stream.';
  return new StatementError('INVALID', `${what} is a query, not a statement`, statement.at, hint);
}
