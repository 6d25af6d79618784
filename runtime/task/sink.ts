// Encodes the rows that leave a task as record batches, one builder a partition; knows no log.

import { assert, existing } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { madeTooMuch } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import { MADE_BYTES_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitAt, type Column, valueAt } from '../data/column.ts';
import type { HandedBatch } from '../data/handed-batch.ts';
import { NO_HEADERS, type RecordHeader } from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import { columnsWithRole } from '../data/schema.ts';
import type { Encoder, Formats } from '../formats/serde.ts';
import { writeSession, writeTimeWindow } from '../formats/windowed-key.ts';
import { isGone } from '../operators/gone.ts';
import type { Emit, RowProblem } from '../operators/operator.ts';
import type { SinkStep } from '../plan/step.ts';
import type { TopicPartition } from '../ports/log.ts';
import { PSEUDO_COLUMNS, WRONG_RECORDS } from './parts.ts';
import type { EventTime } from './pseudo-columns.ts';

/** One record batch to append; it gets its sequence at the commit. */
export interface Outgoing {
  readonly to: TopicPartition;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** As in OutboxAppend. */
  readonly handed?: HandedBatch | undefined;
}

/** Where rows end: a user topic, an internal topic or a client. */
export interface Output {
  /** @throws {RecordError} DEAD_LETTER beyond MADE_BYTES_MAX that wait */
  readonly write: Emit;
  /** Bytes written and not handed over yet. */
  readonly waitingBytes: number;
  /** Hands over what was written since the last call, in order. */
  drain(into: (outgoing: Outgoing) => void): void;
}

export interface SinkOptions {
  /** Partition of records without a key. */
  readonly fallbackPartition: number;
  /** Headers of the record that made a row; null where they are not known. */
  readonly headers: ((origin: number) => readonly RecordHeader[]) | null;
  readonly report: (problem: RowProblem) => void;
  readonly count: (name: string, by: number) => void;
}

interface Target {
  readonly builder: RecordBatchBuilder;
  readonly finished: Outgoing[];
}

/** Writes the rows of a sink step: new rows and tombstones; rows of op UpdateBefore are left out. */
export class SinkWriter implements Output {
  readonly #step: SinkStep;
  readonly #options: SinkOptions;
  readonly #keyEncoder: Encoder | null;
  readonly #valueEncoder: Encoder;
  readonly #keyAt: readonly number[];
  readonly #windowAt: readonly number[];
  readonly #valueAt: readonly number[];
  readonly #timestampAt: number;
  #eventTime: EventTime | null = null;
  readonly #targets: readonly Target[];
  readonly #key = new ByteWriter();
  #waitingBytes = 0;

  constructor(step: SinkStep, formats: Formats, options: SinkOptions) {
    this.#step = step;
    this.#options = options;
    this.#keyAt = columnsWithRole(step.schema, 'key');
    this.#windowAt = columnsWithRole(step.schema, 'window');
    this.#valueAt = columnsWithRole(step.schema, 'value');
    const { columns } = step.schema;
    this.#timestampAt = columns.findIndex((column) => column.name === step.timestamp?.column);
    const keyFormat = existing(formats.get(step.keyFormat.format), 'format');
    const valueFormat = existing(formats.get(step.valueFormat.format), 'format');
    const withRole = (role: string) => columns.filter((column) => column.role === role);
    this.#keyEncoder =
      this.#keyAt.length === 0 ? null : keyFormat.encoder(withRole('key'), step.keyFormat);
    this.#valueEncoder = valueFormat.encoder(withRole('value'), step.valueFormat);
    this.#targets = Array.from({ length: step.partitions }, () => ({
      builder: new RecordBatchBuilder(),
      finished: [],
    }));
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  readonly write = (batch: Batch): void => {
    const keys = this.#keyAt
      .map((at) => batch.columns[at])
      .filter((column) => column !== undefined);
    const values = this.#valueAt
      .map((at) => batch.columns[at])
      .filter((column) => column !== undefined);
    let written = 0;
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (batch.op?.[position] === Op.UpdateBefore) continue;
      try {
        this.#writeRow(batch, position, keys, values);
        written += 1;
      } catch (thrown) {
        const origin = batch.origin?.[position] ?? null;
        this.#options.report(WRONG_RECORDS.code.problemOf(thrown, origin));
      }
    }
    this.#options.count('out', written);
    if (this.#waitingBytes > MADE_BYTES_MAX) madeTooMuch();
  };

  #writeRow(
    batch: Batch,
    position: number,
    keys: readonly Column[],
    values: readonly Column[],
  ): void {
    const key = this.#key;
    key.truncate(0);
    const keyIsNull = batch.keyNull !== null && bitAt(batch.keyNull, position);
    const hasKey =
      !keyIsNull && this.#keyEncoder !== null && this.#keyEncoder.encode(keys, position, key);
    const partition = hasKey
      ? partitionOf(key.buffer, this.#step.partitions, 0, key.position)
      : this.#options.fallbackPartition;
    if (hasKey) this.#appendWindow(batch, position);
    const isTombstone = isGone(batch, position);
    const timestamp = this.#timestamp(batch, position);
    const origin = batch.origin?.[position];
    const headers =
      origin === undefined ? NO_HEADERS : (this.#options.headers?.(origin) ?? NO_HEADERS);
    const target = existing(this.#targets[partition], 'partition');
    const { builder } = target;
    for (;;) {
      const before = builder.lengthBytes;
      if (hasKey) builder.keys.bytes(key.buffer, 0, key.position);
      const hasValue = !isTombstone && this.#encoded(values, position, builder);
      if (builder.end({ hasKey, hasValue }, timestamp, headers)) {
        this.#waitingBytes += builder.lengthBytes - before;
        return;
      }
      assert(builder.count !== 0, 'one record fits a batch');
      this.#finish(partition, target);
    }
  }

  /** Writes the value to the builder; whether there is one. */
  #encoded(values: readonly Column[], position: number, builder: RecordBatchBuilder): boolean {
    try {
      return this.#valueEncoder.encode(values, position, builder.values);
    } catch (thrown) {
      builder.discard();
      throw thrown;
    }
  }

  /** The bounds that make a windowed key of a key; the partition was chosen without them, so that windows of a key stay together. */
  #appendWindow(batch: Batch, position: number): void {
    const { window } = this.#step;
    if (window === null) return;
    const bound = (nth: number): bigint =>
      boundOf(existing(batch.columns[this.#windowAt[nth] as number], 'column'), position);
    if (window.type !== 'SESSION') writeTimeWindow(this.#key, bound(0));
    else writeSession(this.#key, { startMs: bound(0), endMs: bound(1) });
  }

  #timestamp(batch: Batch, position: number): number {
    const column = this.#timestampAt < 0 ? undefined : batch.columns[this.#timestampAt];
    if (column === undefined) return batch.rowtime[position] ?? 0;
    const { timestamp } = this.#step;
    const time = (this.#eventTime ??= PSEUDO_COLUMNS.code.eventTime(timestamp));
    return PSEUDO_COLUMNS.code.timeAt(time, column, position, timestamp?.column ?? '');
  }

  #finish(partition: number, target: Target): void {
    const { count } = target.builder;
    const bytes = target.builder.finish();
    if (bytes !== null)
      target.finished.push({ to: { topic: this.#step.topic, partition }, count, bytes });
  }

  drain(into: (outgoing: Outgoing) => void): void {
    this.#waitingBytes = 0;
    this.#targets.forEach((target, partition) => {
      this.#finish(partition, target);
      for (const outgoing of target.finished.splice(0)) into(outgoing);
    });
  }
}

function boundOf(column: Column, position: number): bigint {
  const value = valueAt(column, position);
  assert(typeof value === 'bigint', 'a window bound is a BIGINT');
  return value;
}
