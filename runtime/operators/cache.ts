// Leaves all but the last change of each key out, from one hand-over to the next: a cache as Kafka Streams has it. Knows no offset and no clock.

import { assert } from '../base/assert.ts';
import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitAt, type Bitmap, bitmap, setBit } from '../data/column.ts';
import { rowsAcross } from '../data/gather-across.ts';
import type { Schema } from '../data/schema.ts';
import type { CacheStep, Step } from '../plan/step.ts';
import { Interner } from '../data/interner.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import type { Emit, Operator } from './operator.ts';

const KEYS_FIRST = 64;

/**
 * Shape: in the changelog of an aggregation, without old rows; out, at a hand-over, the last row of each key and window that changed since
 * the one before, in the order in which they first did. It is an Insert where the key's first row is among those left out. No record
 * triggered it: origins are left out.
 *
 * It has no state: the task commits only behind a hand-over.
 * Cost: holds the batches; a batch of distinct keys that comes alone goes on as it is.
 * @param steps of the task: the kernel gives each key of windows once a batch; the end of a session is a part of its key
 */
export function cache(step: CacheStep, steps: readonly Step[]): Operator {
  const of = steps.find(({ id }) => id === step.input);
  assert(of?.step === 'aggregate', 'a cache is behind an aggregation');
  const isSession = of.window?.type === 'SESSION';
  return new Cache(step, of.run.path === 'kernel' && of.over === 'stream' && !isSession, isSession);
}

class Cache implements Operator {
  readonly name = 'cache';
  readonly schema: Schema;
  readonly #isDistinct: boolean;
  readonly #keys: RowKeys;
  #index = new Interner();
  #held: Batch[] = [];
  /** So many of them are indexed. */
  #indexed = 0;
  /** By key number: batch and position of its last row, and what its first row did. */
  #batches = new Uint32Array(KEYS_FIRST);
  #positions = new Uint32Array(KEYS_FIRST);
  #firstOps = new Uint8Array(KEYS_FIRST);
  #count = 0;

  constructor({ schema }: CacheStep, isDistinct: boolean, session: boolean) {
    this.schema = schema;
    this.#isDistinct = isDistinct;
    const locate = (bytes: Uint8Array, from: number, to: number): number =>
      this.#index.intern(bytes, from, to);
    this.#keys = new RowKeys(schema, { locate }, { session });
  }

  process(_side: number, batch: Batch): void {
    this.#held.push(batch);
    if (!this.#isDistinct || this.#held.length > 1) this.#indexHeld();
  }

  #indexHeld(): void {
    for (; this.#indexed < this.#held.length; this.#indexed++) {
      const batch = this.#held[this.#indexed] as Batch;
      const numbers = this.#keys.assign(batch);
      this.#reserve(this.#index.size);
      for (let i = 0; i < batch.length; i++) {
        const number = numbers[i] as number;
        const position = positionOf(batch, i);
        assert(number !== NO_KEY, 'a group has a key');
        if (number >= this.#count) {
          this.#firstOps[number] = batch.op?.[position] ?? Op.UpdateAfter;
          this.#count = number + 1;
        }
        this.#batches[number] = this.#indexed;
        this.#positions[number] = position;
      }
    }
  }

  #reserve(size: number): void {
    if (size <= this.#batches.length) return;
    const length = size * 2;
    this.#batches = grown(this.#batches, length);
    this.#positions = grown(this.#positions, length);
    this.#firstOps = grown(this.#firstOps, length);
  }

  handOver(out: Emit): void {
    const [first] = this.#held;
    if (first === undefined) return;
    if (this.#isDistinct && this.#held.length === 1) out({ ...first, origin: null });
    else for (let from = 0; from < this.#count; from += BATCH_ROWS_MAX) this.#emit(from, out);
    this.#held = [];
    if (this.#indexed === 0) return;
    this.#indexed = 0;
    this.#count = 0;
    this.#index = new Interner();
    this.#keys.reset();
  }

  #emit(from: number, out: Emit): void {
    const to = Math.min(from + BATCH_ROWS_MAX, this.#count);
    const length = to - from;
    const batches = this.#batches.slice(from, to);
    const positions = this.#positions.slice(from, to);
    const op = new Uint8Array(length);
    let valueNull: Bitmap | null = null;
    for (let i = 0; i < length; i++) {
      const batch = this.#held[batches[i] as number] as Batch;
      const position = positions[i] as number;
      const isFresh = this.#firstOps[from + i] === Op.Insert;
      if (batch.op?.[position] === Op.Delete) op[i] = Op.Delete;
      else op[i] = isFresh ? Op.Insert : Op.UpdateAfter;
      if (batch.valueNull !== null && bitAt(batch.valueNull, position))
        setBit((valueNull ??= bitmap(length)), i);
    }
    out({
      schema: this.schema,
      length,
      selection: null,
      ...rowsAcross(this.#held, { batches, positions }),
      valueNull,
      keyNull: null,
      op,
      origin: null,
    });
  }
}
