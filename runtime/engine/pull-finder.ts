// Finds rows of a state table by spans of keys and decodes them; knows no filter and no projection.

import { existing } from '../base/assert.ts';
import { concatBytes } from '../base/byte-arrays.ts';
import { InvariantError } from '../base/errors.ts';
import { BATCH_ROWS_MAX, PULL_FOUND_BYTES_MAX } from '../base/limits.ts';
import type { KeySpan } from '../analyze/analysis.ts';
import type { Batch } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { decodeCells } from '../data/cells.ts';
import { decodeKey, windowKey } from '../data/key.ts';
import { columnsWithRole, typeAt } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import { bodyOfCall, resultOrNull } from '../functions/aggregate-call.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { PullPlan } from '../plan/pull.ts';
import { type AggregateStep, type Plan } from '../plan/step.ts';
import { stepById } from '../plan/steps.ts';
import type { Entry, StateReader } from '../ports/store.ts';

/** Rows of the state, and the bytes of their keys by `origin`. */
export interface Found {
  readonly batch: Batch;
  readonly keys: readonly Uint8Array[];
}

type Decode = (bytes: Uint8Array) => { rowtime: number; values: readonly Value[] };

export class Finder {
  readonly #pull: PullPlan;
  readonly #keyTypes: readonly Type[];
  readonly #isWindowed: boolean;
  /** What a window's end is ahead of its start, where the key does not say it. */
  readonly #size: bigint;
  readonly #decode: Decode;
  /** Positions of what the state's value holds. */
  readonly #values: readonly number[];

  constructor(pull: PullPlan, plan: Plan, registry: FunctionRegistry) {
    const { schema, holds, table, window } = pull.table;
    this.#pull = pull;
    this.#size = BigInt(window?.sizeMs ?? pull.source.window?.sizeMs ?? 0);
    this.#keyTypes = columnsWithRole(schema, 'key').map((at) => typeAt(schema, at));
    this.#isWindowed = columnsWithRole(schema, 'window').length > 0;
    this.#values = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    if (holds === 'row') {
      const types = this.#values.map((at) => typeAt(schema, at));
      this.#decode = (bytes) => decodeCells(types, bytes);
    } else {
      this.#decode = resultsOf(aggregateStep(plan, table), plan, registry);
    }
  }

  /**
   * In the order of the keys; at most BATCH_ROWS_MAX and PULL_FOUND_BYTES_MAX at a time, so that little is held.
   * @param first rows of the first batch, where fewer may do: each further one has twice as many
   */
  *find(reader: StateReader, spans: readonly KeySpan[], first: number): Iterable<Found> {
    const builder = new BatchBuilder(this.#pull.table.schema);
    let keys: Uint8Array[] = [];
    let most = Math.min(first, BATCH_ROWS_MAX);
    let bytes = 0;
    const { pending } = this.#pull.table;
    for (const { key, value } of this.#entries(reader, spans)) {
      if (pending !== undefined && reader.get(pending, this.#pendingKey(key)) !== null) continue;
      this.#append(builder, key, value, keys.length);
      keys.push(key);
      if (keys.length < most && (bytes += value.length) < PULL_FOUND_BYTES_MAX) continue;
      const batch = builder.finish();
      if (batch !== null) yield { batch, keys };
      keys = [];
      bytes = 0;
      most = Math.min(most * 2, BATCH_ROWS_MAX);
    }
    const batch = builder.finish();
    if (batch !== null) yield { batch, keys };
  }

  *#entries(reader: StateReader, spans: readonly KeySpan[]): Iterable<Entry> {
    const { table } = this.#pull.table;
    for (const { key, range } of spans) {
      if (key === null || this.#isWindowed || range.from === null) {
        yield* reader.scan(table, range);
        continue;
      }
      const value = reader.get(table, range.from);
      if (value !== null) yield { key: range.from, value };
    }
  }

  /** The key under which a row of the state table is held back while its window is open: window end, start, then the key's columns. */
  #pendingKey(key: Uint8Array): Uint8Array {
    const { windowStart, windowEnd } = decodeKey(this.#keyTypes, key);
    const start = windowStart ?? 0n;
    const end = windowEnd ?? start + this.#size;
    const bounds = windowKey(new Uint8Array(0), Number(start), Number(end));
    const columns = key.subarray(0, key.length - (windowEnd === null ? 8 : 16));
    return concatBytes([bounds, columns]);
  }

  #append(builder: BatchBuilder, key: Uint8Array, value: Uint8Array, origin: number): void {
    const decoded = decodeKey(this.#keyTypes, key);
    const row: Value[] = [...decoded.values];
    if (this.#isWindowed) {
      const start = decoded.windowStart ?? 0n;
      row.push(start, decoded.windowEnd ?? start + this.#size);
    }
    const { rowtime, values } = this.#decode(value);
    this.#values.forEach((at, index) => {
      row[at] = values[index] ?? null;
    });
    builder.append(row, rowtime, null, origin);
  }
}

function aggregateStep(plan: Plan, id: string): AggregateStep {
  const step = stepById(plan, id);
  if (step?.step !== 'aggregate') throw new InvariantError(`step ${id} is no aggregation`);
  return step;
}

/** From the accumulator cells of a group to the results of its calls. */
function resultsOf(step: AggregateStep, plan: Plan, registry: FunctionRegistry): Decode {
  const bodies = step.calls.map((call) => {
    const input = existing(stepById(plan, step.input)?.schema, 'input');
    const types = call.arguments.map((at) => typeAt(input, at));
    return bodyOfCall(call, types, registry);
  });
  const types = bodies.flatMap((body) => body.cells);
  return (bytes) => {
    const { rowtime, values } = decodeCells(types, bytes);
    let from = 0;
    const results = bodies.map((body) => {
      const cells = values.slice(from, (from += body.cells.length));
      return resultOrNull(body, cells);
    });
    return { rowtime, values: results };
  };
}
