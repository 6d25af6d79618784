// Which cases are no aim of millrace, and why: what they ask for is outside it by design; knows no case by name.

import type { Case } from './case.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';

/** Formats of a schema registry, and those that share their encoders. */
const FORMATS = ['AVRO', 'PROTOBUF', 'PROTOBUF_NOSR', 'JSON_SR'];

/** Properties that only a schema registry, or a format of one, gives a meaning. */
const REGISTRY_PROPERTY = /\b(?:KEY|VALUE)_(?:SCHEMA_ID|SCHEMA_FULL_NAME|AVRO_\w+|PROTOBUF_\w+)\b/i;

/** How ksqlDB's topics between the halves of a query begin; ours have names of our own. */
const INTERNAL_TOPIC = '_confluent-ksql-';

/** Why the case is out of scope; null: it is in scope. */
export function outOfScope({ statements, properties, entry }: Case): string | null {
  return (
    sqlOutOfScope(statements.join('\n')) ??
    formatIn([...properties.values()].map((value) => `'${value}'`).join(' ')) ??
    topicsOutOfScope(entry.get('topics')) ??
    postOutOfScope(entry.get('post'))
  );
}

/** Why statements are out of scope, by their text alone. */
export function sqlOutOfScope(sql: string): string | null {
  const property = REGISTRY_PROPERTY.exec(sql)?.[0].toUpperCase();
  return formatIn(sql) ?? (property === undefined ? null : `the property ${property}`);
}

/** Formats are named in quotes wherever they are named. */
function formatIn(text: string): string | null {
  const found = FORMATS.find((format) => text.toUpperCase().includes(`'${format}'`));
  return found === undefined ? null : `the format ${found}`;
}

function topicsOutOfScope(topics: Json | undefined): string | null {
  for (const topic of itemsOf(topics)) {
    const formats = ['format', 'keyFormat', 'valueFormat'].map((name) => topic.get(name));
    const format = formatIn(formats.map((one) => `'${textOf(one)}'`).join(' '));
    if (format !== null) return format;
    if ([...topic.keys()].some((name) => /schema/i.test(name))) return 'a registered schema';
  }
  return null;
}

function postOutOfScope(post: Json | undefined): string | null {
  if (!isObject(post)) return null;
  const known = post.get('topics');
  const topics = isObject(known) ? itemsOf(known.get('topics')) : [];
  const isInternal = topics.some((topic) => textOf(topic.get('name')).startsWith(INTERNAL_TOPIC));
  return isInternal ? 'the name of an internal topic' : null;
}

function itemsOf(list: Json | undefined): readonly JsonObject[] {
  return isArray(list) ? list.filter(isObject) : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
