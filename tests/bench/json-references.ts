// What a program without millrace does with JSON: the fast way over whole arrays, and the common way line by line; knows no engine.

import { TypedArrays } from './reference-typed-arrays.ts';
import { NestedMap } from './reference-map.ts';
import type { EventBatch } from './events.ts';
import type { JsonBatch } from './json-events.ts';

const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const decoder = new TextDecoder();

interface Event {
  readonly k: string;
  readonly ts: number;
  readonly x: number;
}

interface Bounds {
  readonly sizeMs: number;
  readonly graceMs: number;
  readonly rowsMax: number;
  /** A row of results per event, or for each changed group of a batch. */
  readonly output: 'rows' | 'results';
}

/** Bytes of each batch: one array of its events, as fast JavaScript would have them handed over. */
export function arraysOf(batches: readonly JsonBatch[]): Uint8Array[] {
  return batches.map(({ texts }) => joined(texts, COMMA, [BRACKET_OPEN, BRACKET_CLOSE]));
}

/** Bytes of each batch: a line an event. */
export function linesOf(batches: readonly JsonBatch[]): Uint8Array[] {
  return batches.map(({ texts }) => joined(texts, NEWLINE, []));
}

function joined(texts: readonly string[], between: number, around: readonly number[]): Uint8Array {
  const text = texts.join(String.fromCharCode(between));
  const [open, close] = around.map((byte) => String.fromCharCode(byte));
  return new TextEncoder().encode(`${open ?? ''}${text}${close ?? ''}`);
}

/** JSON.parse of whole arrays, dense codes of the keys, sums in typed arrays. */
export function foldArrays(
  arrays: readonly Uint8Array[],
  { sizeMs, graceMs, rowsMax, output }: Bounds,
): number {
  const totals = new TypedArrays(sizeMs, graceMs, rowsMax, output);
  const codesByKey = new Map<string, number>();
  const codes = new Uint32Array(rowsMax);
  const rowtime = new Float64Array(rowsMax);
  const value = new Float64Array(rowsMax);
  let sum = 0;
  for (const bytes of arrays) {
    const events = JSON.parse(decoder.decode(bytes)) as readonly Event[];
    const { length } = events;
    for (let i = 0; i < length; i++) {
      const { k, ts, x } = events[i] as Event;
      let code = codesByKey.get(k);
      if (code === undefined) codesByKey.set(k, (code = codesByKey.size));
      codes[i] = code;
      rowtime[i] = ts;
      value[i] = x;
    }
    const emitted = totals.process({ length, codes, keys: [], rowtime, value });
    sum += emitted.length + (emitted.sum[emitted.length - 1] as number);
  }
  return sum;
}

/** A line at a time, into a Map of windows of Maps of keys; an object of results per row. */
export function foldLines(
  texts: readonly Uint8Array[],
  { sizeMs, graceMs, output }: Bounds,
): number {
  const totals = new NestedMap(sizeMs, graceMs, output);
  let sum = 0;
  for (const bytes of texts) {
    const lines = decoder.decode(bytes).split('\n');
    const events = lines.map((line) => JSON.parse(line) as Event);
    const batch: EventBatch = {
      length: events.length,
      codes: new Uint32Array(0),
      keys: events.map(({ k }) => k),
      rowtime: Float64Array.from(events, ({ ts }) => ts),
      value: Float64Array.from(events, ({ x }) => x),
    };
    const rows = totals.process(batch);
    const last = rows.at(-1) as { readonly sum: number } | undefined;
    sum += rows.length + (last?.sum ?? NaN);
  }
  return sum;
}
