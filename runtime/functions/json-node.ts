// Any JSON text as a tree whose numbers keep their digits, and back; knows no type of the language and no function.

import { ByteWriter, decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import { JSON_NUMBER_DIGITS_MAX } from '../base/limits.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  JsonScanner,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../data/json-scanner.ts';
import { writeJsonString } from '../data/json-string.ts';

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;
  /** It has neither fraction nor exponent. */
  readonly isWhole: boolean;

  constructor(text: string, isWhole: boolean) {
    this.text = text;
    this.isWhole = isWhole;
  }
}

export type JsonObject = ReadonlyMap<string, JsonNode>;

/** Of two members of one name the object has the later value in the place of the earlier. */
export type JsonNode = null | boolean | string | JsonNumber | readonly JsonNode[] | JsonObject;

export function isArray(node: JsonNode): node is readonly JsonNode[] {
  return Array.isArray(node);
}

export function isObject(node: JsonNode): node is JsonObject {
  return node instanceof Map;
}

/** Of the one text that is read whole, or written, at a time. */
const PARSER = new JsonScanner();
const WRITER = new ByteWriter();

/**
 * The first JSON value of a text; what follows is not read, as in ksqlDB, but a number or word must end there. Undefined for
 * a text without any value.
 * @throws {RecordError} DESERIALIZATION when the text does not begin with JSON
 */
export function parseJson(text: string): JsonNode | undefined {
  const scanner = beginning(PARSER, text);
  if (scanner.peek() === -1) return undefined;
  const node = readNode(scanner);
  if (node === null || typeof node === 'boolean' || node instanceof JsonNumber) endOfWord(scanner);
  return node;
}

/** A scanner at the beginning of a text. */
export function openJson(text: string): JsonScanner {
  return beginning(new JsonScanner(), text);
}

function beginning(scanner: JsonScanner, text: string): JsonScanner {
  const bytes = encodeUtf8(text);
  scanner.open(bytes, 0, bytes.length);
  return scanner;
}

function endOfWord(scanner: JsonScanner): void {
  const from = scanner.position;
  if (scanner.peek() !== -1 && scanner.position === from) scanner.unexpected();
}

/** The value that comes next. @throws {RecordError} DESERIALIZATION */
export function readNode(from: JsonScanner): JsonNode {
  const byte = from.peek();
  switch (byte) {
    case QUOTE:
      from.string();
      return from.text();
    case OPEN_BRACKET:
      return readArray(from);
    case OPEN_BRACE:
      return readObject(from);
    case 0x74:
    case 0x66:
    case 0x6e:
      return from.word();
    default:
      from.scanNumber();
      return new JsonNumber(from.numberText(), from.integer);
  }
}

function readArray(from: JsonScanner): JsonNode[] {
  const items: JsonNode[] = [];
  from.enter();
  if (from.peek() === CLOSE_BRACKET) {
    from.leave();
    return items;
  }
  do items.push(readNode(from));
  while (!from.ended(CLOSE_BRACKET));
  return items;
}

function readObject(from: JsonScanner): JsonObject {
  const members = new Map<string, JsonNode>();
  from.enter();
  if (from.peek() === CLOSE_BRACE) {
    from.leave();
    return members;
  }
  do {
    from.peek();
    from.string();
    const name = from.text();
    from.expect(COLON);
    members.set(name, readNode(from));
  } while (!from.ended(CLOSE_BRACE));
  return members;
}

/** Whether numbers beyond plain digits have an exponent, as Java's BigDecimal.toString writes them, or never. */
export type NumberStyle = 'scientific' | 'plain';

/** The node as JSON text without white space. @throws {RecordError} EXPRESSION for a plain number of too many digits */
export function nodeText(node: JsonNode, style: NumberStyle): string {
  WRITER.truncate(0);
  writeNode(WRITER, node, style);
  return decodeUtf8(WRITER.buffer, 0, WRITER.position);
}

function writeNode(to: ByteWriter, node: JsonNode, style: NumberStyle): void {
  if (typeof node === 'string') writeJsonString(to, node);
  else if (node instanceof JsonNumber) to.utf8(numberText(node, style));
  else if (isArray(node)) {
    to.utf8('[');
    node.forEach((item, index) => {
      if (index > 0) to.utf8(',');
      writeNode(to, item, style);
    });
    to.utf8(']');
  } else if (isObject(node)) {
    let separator = '{';
    for (const [name, value] of node) {
      to.utf8(separator);
      writeJsonString(to, name);
      to.utf8(':');
      writeNode(to, value, style);
      separator = ',';
    }
    to.utf8(node.size === 0 ? '{}' : '}');
  } else to.utf8(`${node}`);
}

/** The least exponent of a number in plain digits. Source: java.math.BigDecimal.toString. */
const PLAIN_EXPONENT_MIN = -6;

/** The number as Java's BigDecimal has it: every digit that was written, the exponent of its first one. */
function numberText({ text, isWhole }: JsonNumber, style: NumberStyle): string {
  if (isWhole) return text === '-0' ? '0' : text;
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+(?=\d)/u, '');
  const sign = mantissa.startsWith('-') && digits !== '0' ? '-' : '';
  const scale = fraction.length - Number(power);
  const exponent = digits.length - 1 - scale;
  if (style === 'scientific' && (scale < 0 || exponent < PLAIN_EXPONENT_MIN)) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits.slice(0, 1)}${rest}E${exponent < 0 ? '' : '+'}${exponent}`;
  }
  if (Math.abs(scale) > JSON_NUMBER_DIGITS_MAX) {
    const message = `a number of ${Math.abs(scale)} digits, and ${JSON_NUMBER_DIGITS_MAX} are the most`;
    throw new RecordError('EXPRESSION', message);
  }
  if (scale <= 0) return sign + (digits === '0' ? digits : digits + '0'.repeat(-scale));
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
