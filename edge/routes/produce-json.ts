// The body of a produce request, looked over once: well-formed, and where each record's members stand; knows no topic and no batch.

import { messageOf } from '../../runtime/base/errors.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  JsonScanner,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../runtime/data/json-scanner.ts';
import { refusal } from './errors.ts';

const MEMBERS = [
  'key',
  'keyBase64',
  'value',
  'valueBase64',
  'partition',
  'timestamp',
  'headers',
] as const;
export type Member = (typeof MEMBERS)[number];

/** Numbers of one member: where its value begins and ends. */
const SPAN = 2;
/** Numbers of one record: its members in their order, then whether its key is a string with escapes. */
const RECORD = MEMBERS.length * SPAN + 1;
const ESCAPED = RECORD - 1;
const AT = Object.fromEntries(MEMBERS.map((name, i) => [name, i * SPAN])) as Record<Member, number>;

/** Records as they stand in a body: nothing is decoded, and digits stay as they were written. */
export class ProducedJson {
  readonly bytes: Uint8Array;
  /** RECORD numbers a record; 0 where a member is absent: no value begins there. */
  readonly #spans: readonly number[];

  constructor(bytes: Uint8Array, spans: readonly number[]) {
    this.bytes = bytes;
    this.#spans = spans;
  }

  /** How many records there are. */
  get count(): number {
    return this.#spans.length / RECORD;
  }

  /** Where a record's member begins in `bytes`; 0: it has none. */
  from(record: number, member: Member): number {
    return this.#spans[record * RECORD + AT[member]] as number;
  }

  to(record: number, member: Member): number {
    return this.#spans[record * RECORD + AT[member] + 1] as number;
  }

  /** True for a key whose text is not what stands between its quotes. */
  hasEscapedKey(record: number): boolean {
    return this.#spans[record * RECORD + ESCAPED] === 1;
  }

  /** True where a member is absent or null. */
  isNull(record: number, member: Member): boolean {
    const from = this.from(record, member);
    return from === 0 || this.bytes[from] === 0x6e; // The n of null: nothing else begins with it.
  }
}

/** @throws 400: it is no JSON, or not of the shape of a request */
export function producedJson(bytes: Uint8Array): ProducedJson {
  const json = new JsonScanner();
  json.open(bytes, 0, bytes.length);
  let shape: Shape;
  try {
    shape = bodyOf(json);
    json.close();
  } catch (thrown) {
    throw refusal('BAD_REQUEST', `the body is not JSON: ${messageOf(thrown)}`);
  }
  if (shape.fault !== null) throw refusal('BAD_REQUEST', shape.fault);
  if (shape.spans.length === 0)
    throw refusal('BAD_REQUEST', 'send {"records": [...]} with at least one record');
  return new ProducedJson(bytes, shape.spans);
}

interface Shape {
  spans: number[];
  /** The first thing in well-formed JSON that is no request. */
  fault: string | null;
}

function bodyOf(json: JsonScanner): Shape {
  let shape: Shape = { spans: [], fault: null };
  if (json.peek() !== OPEN_BRACE) {
    skipValue(json);
    return shape;
  }
  json.position += 1;
  if (json.peek() === CLOSE_BRACE) return stepped(json, shape);
  do {
    const name = nameOf(json);
    // Of a name that stands twice the last counts.
    if (name === 'records') shape = recordsOf(json);
    else skipValue(json);
  } while (!json.ended(CLOSE_BRACE));
  return shape;
}

function stepped<T>(json: JsonScanner, value: T): T {
  json.position += 1;
  return value;
}

function recordsOf(json: JsonScanner): Shape {
  const shape: Shape = { spans: [], fault: null };
  if (json.peek() !== OPEN_BRACKET) {
    skipValue(json);
    return shape;
  }
  json.position += 1;
  if (json.peek() === CLOSE_BRACKET) return stepped(json, shape);
  do recordOf(json, shape);
  while (!json.ended(CLOSE_BRACKET));
  return shape;
}

function recordOf(json: JsonScanner, shape: Shape): void {
  const { spans } = shape;
  const at = spans.length;
  if (json.peek() !== OPEN_BRACE) {
    shape.fault ??= `records[${at / RECORD}] is not an object`;
    skipValue(json);
    return;
  }
  for (let i = 0; i < RECORD; i++) spans.push(0);
  json.position += 1;
  if (json.peek() === CLOSE_BRACE) return stepped(json, undefined);
  do {
    const member = memberOf(json);
    if (member === null) {
      shape.fault ??= `records[${at / RECORD}] has an unknown member '${json.text().slice(0, 50)}'`;
      json.expect(COLON);
      skipValue(json);
      continue;
    }
    json.expect(COLON);
    const isString = json.peek() === QUOTE;
    spans[at + AT[member]] = json.position;
    skipValue(json);
    spans[at + AT[member] + 1] = json.position;
    if (member === 'key') spans[at + ESCAPED] = isString && json.escaped ? 1 : 0;
  } while (!json.ended(CLOSE_BRACE));
}

/** Scans a name of a record's member; null for none of ours, which `text` then gives. */
function memberOf(json: JsonScanner): Member | null {
  json.peek();
  json.string();
  const { bytes, start, stop } = json;
  // Most are one of two, which need no text.
  if (stop - start === VALUE.length && isAt(bytes, start, VALUE)) return 'value';
  if (stop - start === KEY.length && isAt(bytes, start, KEY)) return 'key';
  const name = json.text();
  return MEMBERS.find((member) => member === name) ?? null;
}

const VALUE = Uint8Array.from('value', (letter) => letter.charCodeAt(0));
const KEY = Uint8Array.from('key', (letter) => letter.charCodeAt(0));

function isAt(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

function nameOf(json: JsonScanner): string {
  json.peek();
  json.string();
  const name = json.text();
  json.expect(COLON);
  return name;
}

/** Checks the value that comes next and steps over it. Records hold JSON of any depth, so that nothing here calls itself. */
function skipValue(json: JsonScanner): void {
  /** What ends each structure that is open. */
  const ends: number[] = [];
  for (;;) {
    const byte = json.peek();
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const end = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      json.position += 1;
      if (json.peek() !== end) {
        ends.push(end);
        if (end === CLOSE_BRACE) skipName(json);
        continue;
      }
      json.position += 1;
    } else if (byte === QUOTE) json.string();
    else if (byte === MINUS || (byte >= 0x30 && byte <= 0x39)) json.scanNumber();
    else json.word();
    for (;;) {
      const end = ends.at(-1);
      if (end === undefined) return;
      if (json.ended(end)) {
        ends.pop();
        continue;
      }
      if (end === CLOSE_BRACE) skipName(json);
      break;
    }
  }
}

function skipName(json: JsonScanner): void {
  json.peek();
  json.string();
  json.expect(COLON);
}
