// Synthetic events in columns for the suites: uniform or Zipf keys, rising rowtimes; deterministic. Knows no engine.

import { type Draw, draws } from '../support/draws.ts';

export const BATCH_ROWS = 4096;
/** Rowtime runs this fast: at so many events a tumbling minute closes. */
const EVENTS_PER_MINUTE = 1_000_000;

export interface EventBatch {
  readonly length: number;
  /** Dense code of the key, as a dictionary-encoded column brings it. */
  readonly codes: Uint32Array;
  readonly keys: readonly string[];
  readonly rowtime: Float64Array;
  readonly value: Float64Array;
}

export interface Events {
  readonly count: number;
  readonly names: readonly string[];
  readonly batches: readonly EventBatch[];
}

export type Spread = 'uniform' | 'Zipf';

/** Coprime to the numbers of keys, so that it scatters the often used ones over the codes. */
const SCATTER = 7919;

/** Codes of Zipf's law with exponent 1, from whole random numbers of 32 bits. */
function zipf(keyCount: number, draw: Draw): () => number {
  const sums = new Float64Array(keyCount);
  let total = 0;
  for (let rank = 0; rank < keyCount; rank += 1) sums[rank] = total += 1 / (rank + 1);
  return () => {
    const at = (draw(2 ** 32) / 2 ** 32) * total;
    let low = 0;
    let high = keyCount - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return (low * SCATTER) % keyCount;
  };
}

/** `count` events (whole batches) over `keyCount` keys. The values are multiples of 1/64, so that sums are exact in any order. */
export function makeEvents(count: number, keyCount: number, spread: Spread = 'uniform'): Events {
  const draw = draws(0x2545f491);
  const names = Array.from({ length: keyCount }, (_, i) => `sensor-${i.toString(36)}`);
  const code = spread === 'Zipf' ? zipf(keyCount, draw) : (): number => draw(keyCount);
  const batches: EventBatch[] = [];
  const whole = Math.floor(count / BATCH_ROWS);
  for (let b = 0; b < whole; b += 1) {
    const codes = Uint32Array.from({ length: BATCH_ROWS }, code);
    const base = b * BATCH_ROWS;
    batches.push({
      length: BATCH_ROWS,
      codes,
      keys: Array.from(codes, (code) => names[code] ?? ''),
      rowtime: Float64Array.from({ length: BATCH_ROWS }, (_, i) =>
        Math.floor(((base + i) * 60_000) / EVENTS_PER_MINUTE),
      ),
      value: Float64Array.from({ length: BATCH_ROWS }, () => draw(65_536) / 64 - 512),
    });
  }
  return { count: whole * BATCH_ROWS, names, batches };
}

/** Keys of a batch one after the other; ASCII. */
export function keyBytesOf(keys: readonly string[]): { bytes: Uint8Array; offsets: Uint32Array } {
  const offsets = new Uint32Array(keys.length + 1);
  let at = 0;
  for (const [i, key] of keys.entries()) {
    at += key.length;
    offsets[i + 1] = at;
  }
  return { bytes: new TextEncoder().encode(keys.join('')), offsets };
}
