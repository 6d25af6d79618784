// Finds out what formats bytes may be in, and shows them so: for people who look into a topic; knows no schema and no topic.

import { ByteReader, decodeUtf8, isUtf8 } from '../base/bytes.ts';
import { doubleText } from '../data/double-text.ts';
import { readWindow, windowBytes, type WindowKind } from './windowed-key.ts';

/** A format that bytes may be in. */
interface Candidate {
  readonly name: string;
  /** The bytes as text; null when they are not in this format. */
  readonly show: (bytes: Uint8Array) => string | null;
}

/** Times of windows are taken for such up to the year 2286. */
const WINDOW_MS_MAX = 10_000_000_000_000n;
const CONTROL = /\p{Cc}/u;

function shownText(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  const text = decodeUtf8(bytes);
  // Text has no control characters but white space.
  return CONTROL.test(text.replace(/[\t\n\r]/g, '')) ? null : text;
}

function shownJson(bytes: Uint8Array): string | null {
  const text = shownText(bytes);
  if (text === null) return null;
  try {
    JSON.parse(text);
    return text;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

function shownNumber(lengthBytes: number, read: (from: ByteReader) => string): Candidate['show'] {
  return (bytes) => (bytes.length === lengthBytes ? read(new ByteReader(bytes)) : null);
}

/** More telling ones first: short text may be a number, but hardly ever the other way round. */
const PLAIN: readonly Candidate[] = [
  { name: 'JSON', show: shownJson },
  { name: 'KAFKA_STRING', show: shownText },
  { name: 'KAFKA_INT', show: shownNumber(4, (from) => `${from.u32BE() | 0}`) },
  { name: 'KAFKA_BIGINT', show: shownNumber(8, (from) => `${from.i64BE()}`) },
  { name: 'KAFKA_DOUBLE', show: shownNumber(8, (from) => doubleText(from.f64BE())) },
];

function windowed(name: string, kind: WindowKind, inner: Candidate): Candidate {
  return {
    name: `${name}(${inner.name})`,
    show(bytes) {
      if (bytes.length <= windowBytes(kind)) return null;
      const range = { from: 0, to: bytes.length };
      const { startMs, endMs, keyTo } = readWindow(bytes, range, kind, 0);
      if (startMs < 0n || endMs < startMs || endMs > WINDOW_MS_MAX) return null;
      const key = inner.show(bytes.subarray(0, keyTo));
      return key === null ? null : `[${key}@${startMs}/${kind === 'session' ? endMs : '-'}]`;
    },
  };
}

const WINDOWED: readonly Candidate[] = [
  ...PLAIN.map((inner) => windowed('SESSION', 'session', inner)),
  ...PLAIN.map((inner) => windowed('TUMBLING, HOPPING or SLIDING', 'time', inner)),
];

function hex(bytes: Uint8Array): string {
  return `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Narrows down, with each value, the formats that all of them may be in. Not an exact science: short values fit many. */
export class Recognizer {
  #candidates: readonly Candidate[];
  #count = 0;

  constructor(part: 'key' | 'value') {
    this.#candidates = part === 'key' ? [...PLAIN, ...WINDOWED] : PLAIN;
  }

  add(bytes: Uint8Array | null): void {
    if (bytes === null) return;
    this.#count += 1;
    this.#candidates = this.#candidates.filter(({ show }) => show(bytes) !== null);
  }

  /** The formats that are left, the likeliest first. */
  get formats(): string {
    if (this.#count === 0) return 'unknown, no data yet';
    if (this.#candidates.length === 0) return 'MIXED or unknown';
    return this.#candidates.map(({ name }) => name).join(' or ');
  }

  /** In the likeliest format of all; of these bytes alone where values differ. */
  show(bytes: Uint8Array | null): string {
    if (bytes === null) return '<null>';
    for (const { show } of [...this.#candidates, ...PLAIN]) {
      const text = show(bytes);
      if (text !== null) return text;
    }
    return hex(bytes);
  }
}
