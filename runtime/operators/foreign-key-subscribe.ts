// Tells the right table of a foreign-key join which rows of the left one refer to which of its keys; knows no topic.

import { type Batch, Op, positionOf } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { bitAt, type Column, valueAt } from '../data/column.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { compile } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { ForeignKeySubscribeStep } from '../plan/join-step.ts';
import { RowEvaluation } from './evaluation.ts';
import { Ask, message, NO_ROW, versionOf } from './foreign-key.ts';
import { JoinInput } from './join-output.ts';
import { withValue } from './rarer-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/**
 * Shape: in a changelog with old rows; out, per change, at most an end of the subscription to the old foreign key and a subscription to
 * the new one. A row whose foreign key is null refers to nothing: INNER ends what there was; LEFT asks under the key null, and is answered
 * that there is no row. Stateless. Source: Kafka Streams' foreign-key joins (KIP-213, KIP-962).
 */
export function foreignKeySubscribe(
  step: ForeignKeySubscribeStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const compute = compile(step.foreignKey, registry);
  const evaluation = new RowEvaluation(context, step.schema.columns[0]?.name ?? '', step.id);
  const sender = new Sender(step, input);
  return {
    name: 'foreignKeySubscribe',
    schema: step.schema,
    process(_side, batch, out) {
      const { valueNull } = batch;
      const valued = valueNull === null ? batch : withValue(batch, valueNull);
      const keys = evaluation.over(valued, compute);
      /** undefined: there was no row. */
      let old: Value | undefined;
      for (let i = 0; i < batch.length; i++) {
        const position = positionOf(batch, i);
        const op = batch.op?.[position];
        const isNull = valueNull !== null && bitAt(valueNull, position);
        const key = isNull ? undefined : valueAt(keys, position);
        if (op === Op.UpdateBefore) {
          old = key;
          continue;
        }
        if (op === Op.Delete) sender.send(batch, position, { old: key, key: undefined }, out);
        else sender.send(batch, position, { old, key }, out);
        old = undefined;
      }
      sender.flush(out);
    },
  };
}

/** The foreign keys of a row before and after a change; undefined where there is no row. */
interface Change {
  readonly old: Value | undefined;
  readonly key: Value | undefined;
}

class Sender {
  readonly #isLeft: boolean;
  readonly #builder: BatchBuilder;
  readonly #input: JoinInput;
  readonly #keys: readonly number[];

  constructor(step: ForeignKeySubscribeStep, input: Schema) {
    this.#isLeft = step.type === 'LEFT';
    this.#builder = new BatchBuilder(step.schema);
    this.#input = new JoinInput(input);
    this.#keys = columnsWithRole(input, 'key');
  }

  send(batch: Batch, position: number, { old, key }: Change, out: Emit): void {
    const hadKey = old !== undefined && old !== null;
    if (key === undefined) {
      if (hadKey) this.#ask(batch, position, { of: old, ask: Ask.endAndAnswer, isGone: true }, out);
      else if (old === null && this.#isLeft)
        this.#ask(batch, position, { of: null, ask: Ask.subscribeAndAnswer, isGone: true }, out);
      return;
    }
    const goesOn = key !== null || this.#isLeft;
    if (hadKey && !valueEquals(old, key)) {
      const ask = goesOn ? Ask.end : Ask.endAndAnswer;
      this.#ask(batch, position, { of: old, ask, isGone: false }, out);
    }
    if (!goesOn) return;
    // What was joined before stands until an answer takes it back.
    const ask = hadKey || this.#isLeft ? Ask.subscribeAndAnswer : Ask.subscribe;
    this.#ask(batch, position, { of: key, ask, isGone: false }, out);
  }

  #ask(
    batch: Batch,
    position: number,
    { of, ask, isGone }: { readonly of: Value; readonly ask: Ask; readonly isGone: boolean },
    out: Emit,
  ): void {
    const builder = this.#builder;
    if (builder.isFull) this.flush(out);
    const version = isGone ? NO_ROW : this.#version(batch, position);
    const primary = this.#keys.map((at) => valueAt(batch.columns[at] as Column, position));
    const ms = batch.rowtime[position] ?? 0;
    builder.append(
      [of, ...primary, message(ask, version)],
      ms,
      null,
      batch.origin?.[position] ?? null,
    );
    if (of === null) builder.markKeyNull();
  }

  #version(batch: Batch, position: number): Uint8Array {
    return versionOf(this.#input.cells.encode(this.#input.columnsOf(batch), position, 0));
  }

  flush(out: Emit): void {
    const batch = this.#builder.finish();
    if (batch !== null) out(batch);
  }
}
