// Functions of texts that hold JSON; knows no other theme.

import { RecordError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import { parseDecimal } from '../data/decimal-text.ts';
import { CLOSE_BRACKET, OPEN_BRACKET } from '../data/json-scanner.ts';
import { array, BOOLEAN, INTEGER, map, STRING, type Type, type Value } from '../data/type.ts';
import { checkLength, lengthOf } from '../data/value.ts';
import { ANY, first, of, parameter, scalar, text, variadic } from './declare.ts';
import {
  isArray,
  isObject,
  JsonNumber,
  type JsonNode,
  nodeText,
  openJson,
  parseJson,
  readNode,
} from './json-node.ts';
import { follow, parsePath } from './json-path.ts';
import type { ScalarBody, ScalarOverload } from './registry.ts';
import { jsonOf } from './to-json.ts';

const category = 'JSON';

/** What reading a text gives, or false where it is not JSON. */
function orFalse(read: () => boolean): boolean {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof RecordError && thrown.code === 'DESERIALIZATION') return false;
    throw thrown;
  }
}

/** Digits of the longest BIGINT, its sign too. */
const WHOLE_LENGTH_MAX = 20;

/** Whether an item is the value. A DOUBLE is only a number written with a fraction or an exponent, as in ksqlDB. */
function isSame(item: JsonNode, value: Value, type: Type): boolean {
  if (value === null || item === null) return item === value;
  switch (type.kind) {
    case 'STRING':
    case 'BOOLEAN':
      return item === value;
    case 'INTEGER':
    case 'BIGINT':
      return (
        item instanceof JsonNumber &&
        item.isWhole &&
        item.text.length <= WHOLE_LENGTH_MAX &&
        BigInt(item.text) === BigInt(value as number | bigint)
      );
    case 'DOUBLE':
      return item instanceof JsonNumber && !item.isWhole && Number(item.text) === value;
    case 'DECIMAL':
      return (
        item instanceof JsonNumber &&
        parseDecimal(item.text, DECIMAL_DIGITS_MAX, type.scale) === value
      );
    default:
      return false;
  }
}

/** Whether an array holds the value; what stands behind it is not read, and a text that is no array holds nothing. */
function contains(json: string, value: Value, type: Type): boolean {
  return orFalse(() => {
    const from = openJson(json);
    if (from.peek() !== OPEN_BRACKET) return false;
    from.enter();
    if (from.peek() === CLOSE_BRACKET) return false;
    do if (isSame(readNode(from), value, type)) return true;
    while (!from.ended(CLOSE_BRACKET));
    return false;
  });
}

/** As PostgreSQL's `||`: objects merge, all else is appended to one array. Null where a text is empty. */
function concat(texts: readonly string[]): string | null {
  checkLength(lengthOf(texts));
  const nodes = texts.map(parseJson).filter((node) => node !== undefined);
  const [only] = nodes;
  if (only === undefined || nodes.length < texts.length) return null;
  if (nodes.length === 1) return nodeText(only, 'plain');
  if (nodes.every(isObject)) {
    const merged = new Map(nodes.flatMap((node) => [...node]));
    return nodeText(merged, 'plain');
  }
  const items = nodes.flatMap((node) => (isArray(node) ? node : [node]));
  return nodeText(items, 'plain');
}

const itemText = (node: JsonNode): string => nodeText(node, 'scientific');

/** EXTRACTJSONFIELD: the path is parsed when it is another than the row before's. */
function extractor(): ScalarBody {
  let known: string | null = null;
  let steps: readonly string[] = [];
  return ([json = null, path = null]) => {
    if (path !== known) {
      known = null;
      steps = parsePath(path as string);
      known = path as string;
    }
    const found = follow(parseJson(json as string), steps);
    if (found === undefined) return null;
    return typeof found === 'string' ? found : itemText(found);
  };
}

/** A function of the text of an object, or of an array; null where it is another value's. */
function ofText<Node extends JsonNode>(
  isRead: (node: JsonNode) => node is Node,
  name: string,
  description: string,
  returns: Type,
  read: (node: Node) => Value,
): ScalarOverload {
  return scalar({
    name,
    category,
    description,
    parameters: [text('json')],
    returns,
    body: ([json = null]) => {
      const node = parseJson(json as string);
      return node !== undefined && isRead(node) ? read(node) : null;
    },
  });
}

export const JSONS: readonly ScalarOverload[] = [
  {
    kind: 'scalar',
    name: 'EXTRACTJSONFIELD',
    category,
    description:
      'What stands at a path ($.name[0]["name"]) in a JSON text, as text; null where the path leads nowhere.',
    parameters: [text('json'), text('path')],
    returns: () => STRING,
    nullPropagating: true,
    body: extractor,
  },
  scalar({
    name: 'IS_JSON_STRING',
    category,
    description: 'Whether a text can be read as JSON; false for a null.',
    parameters: [text('json')],
    returns: BOOLEAN,
    nullPropagating: false,
    body: ([json = null]) =>
      json !== null && orFalse(() => parseJson(json as string) !== undefined),
  }),
  scalar({
    name: 'JSON_ARRAY_CONTAINS',
    category,
    description:
      'Whether a JSON array holds a value of that type, a null too; false where the text is no array, null where it is null.',
    parameters: [text('json'), parameter('value', ANY)],
    returns: BOOLEAN,
    nullPropagating: false,
    body: ([json = null, value = null], _context, types) =>
      json === null ? null : contains(json as string, value, types[1] ?? STRING),
  }),
  ofText(
    isArray,
    'JSON_ARRAY_LENGTH',
    'How many items a JSON array has; null where the text is no array.',
    INTEGER,
    (items) => items.length,
  ),
  scalar({
    name: 'JSON_CONCAT',
    category,
    description:
      'JSON texts as one: objects merged, the last of one key winning, arrays and all else appended; null where one is null.',
    parameters: [text('first'), variadic('more', of(STRING))],
    returns: STRING,
    body: (values) => concat(values as readonly string[]),
  }),
  ofText(
    isArray,
    'JSON_ITEMS',
    'The items of a JSON array, each as JSON text; null where the text is no array.',
    array(STRING),
    (items) => items.map(itemText),
  ),
  ofText(
    isObject,
    'JSON_KEYS',
    'The keys of a JSON object; null where the text is no object.',
    array(STRING),
    (object) => [...object.keys()],
  ),
  ofText(
    isObject,
    'JSON_RECORDS',
    'The keys and values of a JSON object, each value as JSON text; null where the text is no object.',
    map(STRING, STRING),
    (object) => new Map([...object].map(([name, node]) => [name, itemText(node)])),
  ),
  scalar({
    name: 'TO_JSON_STRING',
    category,
    description: 'A value of any type as JSON text; a null is the text null.',
    parameters: [parameter('value', ANY)],
    returns: STRING,
    nullPropagating: false,
    body: ([value = null], _context, types) => jsonOf(first(types), value),
  }),
];
