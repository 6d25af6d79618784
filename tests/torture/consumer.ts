// Consumers that read a partition, or a table, again and again while the server dies; they write down what they saw and judge nothing.

import { parseRecordBatch } from '../../runtime/data/record.ts';
import type { Workerd } from '../support/workerd.ts';
import { asked, posting } from './asking.ts';

const REST_MS = 20;

/** A run of records within one answer. */
export interface PolledFrame {
  readonly base: number;
  /** Names of the records, as the consumer's `nameOf` makes them. */
  readonly names: readonly string[];
}

/** One answer with records in it. */
export interface Poll {
  readonly frames: readonly PolledFrame[];
  readonly highWatermark: number;
  /** When it had arrived, in ms of `performance.now`. */
  readonly atMs: number;
}

const text = new TextDecoder();

/** Reads one partition from its beginning, each answer from where the one before ended. */
export class Consumer {
  readonly topic: string;
  readonly partition: number;
  readonly polls: Poll[] = [];
  readonly #edge: Workerd;
  readonly #nameOf: (key: string, value: string) => string;
  #next = 0;

  constructor(
    edge: Workerd,
    topic: string,
    partition: number,
    nameOf: (key: string, value: string) => string,
  ) {
    this.#edge = edge;
    this.topic = topic;
    this.partition = partition;
    this.#nameOf = nameOf;
  }

  /** Polls until `signal`, then until an answer has nothing more. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const stopping = signal.aborted;
      const found = await this.#poll();
      if (found === 0 && stopping) return;
      if (found === 0 || found === null)
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** How many records came; null where no answer did. */
  async #poll(): Promise<number | null> {
    const path = `/topics/${this.topic}/partitions/${this.partition}/records?offset=${this.#next}`;
    const headers = { Accept: 'application/vnd.millrace.batches' };
    const response = await asked(this.#edge, path, { headers });
    if (response === null) return null;
    if (response.status !== 200) throw new Error(`${this.topic}: ${await response.text()}`);
    const frames = [...this.#frames(new Uint8Array(await response.arrayBuffer()))];
    const last = frames.at(-1);
    if (last === undefined) return 0;
    this.#next = last.base + last.names.length;
    const highWatermark = Number(response.headers.get('Millrace-High-Watermark'));
    this.polls.push({ frames, highWatermark, atMs: performance.now() });
    return frames.reduce((sum, { names }) => sum + names.length, 0);
  }

  /** The frames, without what lies before the offset asked for. */
  *#frames(bytes: Uint8Array): Iterable<PolledFrame> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length;) {
      const [base, length] = [view.getFloat64(at, true), view.getUint32(at + 12, true)];
      const batch = parseRecordBatch(bytes.slice(at + 16, at + 16 + length));
      const skip = Math.max(0, at === 0 ? this.#next - base : 0);
      const names = Array.from({ length: batch.count }, (_, i) =>
        this.#nameOf(
          text.decode(batch.key(i) ?? undefined),
          text.decode(batch.value(i) ?? undefined),
        ),
      );
      if (skip < names.length) yield { base: base + skip, names: names.slice(skip) };
      at += 16 + length;
    }
  }
}

/** What one pull query answered: rows of group, count and total. */
export type PulledTable = readonly (readonly [group: string, n: number, total: number])[];

/** Asks for the whole table again and again. */
export class TableReader {
  readonly answers: PulledTable[] = [];
  readonly #edge: Workerd;

  constructor(edge: Workerd) {
    this.#edge = edge;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = await pullTable(this.#edge);
      if (answer !== null) this.answers.push(answer);
      await new Promise((resolve) => setTimeout(resolve, REST_MS * 5));
    }
  }
}

/** null: no answer, or a passing fault, be it within the answer. */
export async function pullTable(edge: Workerd): Promise<PulledTable | null> {
  const ksql = 'SELECT grp, n, total FROM totals;';
  const response = await asked(edge, '/query', posting({ ksql }));
  if (response?.status !== 200) return null;
  const items = (await response.json()) as {
    row?: { columns: PulledTable[number] };
    errorMessage?: unknown;
  }[];
  if (items.some(({ errorMessage }) => errorMessage !== undefined)) return null;
  return items.flatMap(({ row }) => (row === undefined ? [] : [row.columns]));
}
