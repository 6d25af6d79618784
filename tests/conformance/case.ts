// Cases as their files hold them, expanded over formats and settings; knows no engine.

import {
  isArray,
  isObject,
  type Json,
  JsonNumber,
  type JsonObject,
  readJson,
  writeJson,
} from './json.ts';

/** The bounds of a windowed key. */
export interface CaseWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly type: 'TIME' | 'SESSION';
}

export interface CaseHeader {
  readonly name: string;
  /** Base64; null: the header has no value. */
  readonly value: string | null;
}

export interface CaseRecord {
  readonly topic: string;
  readonly key: Json;
  /** null: a tombstone. */
  readonly value: Json;
  /** null: not given. */
  readonly timestampMs: number | null;
  readonly window: CaseWindow | null;
  readonly headers: readonly CaseHeader[];
}

export interface ExpectedError {
  /** The last part of the class's name. */
  readonly type: string | null;
  readonly message: string | null;
}

/** What one source must be like once the statements have run. */
export interface ExpectedSource {
  readonly name: string;
  readonly type: string;
  /** Columns as SQL declares them. */
  readonly schema: string | null;
  readonly keyFormat: JsonObject | null;
  readonly valueFormat: string | null;
  readonly keyFeatures: readonly string[] | null;
  readonly valueFeatures: readonly string[] | null;
  readonly readOnly: boolean | null;
}

/** One executable case. */
export interface Case {
  /** Unique over its suite. */
  readonly name: string;
  readonly statements: readonly string[];
  readonly properties: ReadonlyMap<string, string>;
  /** Partitions of topics that are there before the statements. */
  readonly topics: ReadonlyMap<string, number>;
  readonly inputs: readonly CaseRecord[];
  readonly outputs: readonly CaseRecord[];
  readonly expectedError: ExpectedError | null;
  readonly sources: readonly ExpectedSource[];
  /** The case as its file has it, before it was expanded. */
  readonly entry: JsonObject;
}

/**
 * The executable cases of one file: one for each format and each value of a setting; disabled ones are left out.
 * @param stem the file's name without its ending, the first part of each case's name
 * @throws {SyntaxError} when it is no JSON; {TypeError} when it is no case file
 */
export function readCases(stem: string, text: string): Case[] {
  const file = objectOf(readJson(text), stem);
  return arrayOf(file.get('tests'), `${stem}: tests`).flatMap((entry) =>
    expand(stem, objectOf(entry, `${stem}: a case`)),
  );
}

function expand(stem: string, entry: JsonObject): Case[] {
  if (entry.get('enabled') === false) return [];
  const title = `${stem} - ${textOf(entry.get('name'), `${stem}: name`)}`;
  const formats = textsOf(entry.get('format'), title);
  const given = new Map(
    [...optionalObject(entry.get('properties'), title)].map(([name, value]) => [
      name,
      settingText(value),
    ]),
  );
  const [configured] = [...given].find(([, value]) => value === '{CONFIG}') ?? [];
  const values = configured === undefined ? [null] : textsOf(entry.get('config'), title);
  return (formats.length === 0 ? [null] : formats).flatMap((format) =>
    values.map((value) => {
      const properties = new Map(given);
      if (configured !== undefined && value !== null) properties.set(configured, value);
      const suffix = [format, value === null ? null : `${configured}=${value}`];
      const name = [title, ...suffix.filter((part) => part !== null)].join(' - ');
      return caseOf(name, entry, format, properties);
    }),
  );
}

function caseOf(
  name: string,
  entry: JsonObject,
  format: string | null,
  properties: ReadonlyMap<string, string>,
): Case {
  const statements = textsOf(entry.get('statements'), name);
  const expected = entry.get('expectedException');
  const post = optionalObject(entry.get('post'), name);
  return {
    name,
    statements: statements.map((sql) =>
      format === null ? sql : sql.replaceAll('{FORMAT}', format),
    ),
    properties,
    topics: new Map(listOf(entry.get('topics'), name).map((topic) => topicOf(topic, name))),
    inputs: listOf(entry.get('inputs'), name).map((record) => recordOf(record, name)),
    outputs: listOf(entry.get('outputs'), name).map((record) => recordOf(record, name)),
    expectedError: expected === undefined ? null : errorOf(objectOf(expected, name)),
    sources: listOf(post.get('sources'), name).map((source) => sourceOf(source, name)),
    entry,
  };
}

function topicOf(value: Json, name: string): [string, number] {
  const topic = objectOf(value, name);
  return [textOf(topic.get('name'), name), numberOf(topic.get('partitions')) ?? 1];
}

function recordOf(value: Json, name: string): CaseRecord {
  const record = objectOf(value, name);
  return {
    topic: textOf(record.get('topic'), name),
    key: record.get('key') ?? null,
    value: record.get('value') ?? null,
    timestampMs: numberOf(record.get('timestamp')),
    window: windowOf(record.get('window'), name),
    headers: listOf(record.get('headers'), name).map((header) => headerOf(header, name)),
  };
}

function windowOf(value: Json | undefined, name: string): CaseWindow | null {
  if (value === undefined || value === null) return null;
  const window = objectOf(value, name);
  const type = textOf(window.get('type'), name).toUpperCase();
  if (type !== 'TIME' && type !== 'SESSION') throw new TypeError(`${name}: a window of ${type}`);
  return {
    type,
    startMs: numberOf(window.get('start')) ?? 0,
    endMs: numberOf(window.get('end')) ?? 0,
  };
}

function headerOf(value: Json, name: string): CaseHeader {
  const header = objectOf(value, name);
  return {
    name: textOf(header.get('KEY'), name),
    value: optionalText(header.get('VALUE')),
  };
}

function errorOf(expected: JsonObject): ExpectedError {
  const type = optionalText(expected.get('type'));
  return { type: type?.split('.').at(-1) ?? null, message: optionalText(expected.get('message')) };
}

function sourceOf(value: Json, name: string): ExpectedSource {
  const source = objectOf(value, name);
  const features = (member: string) =>
    source.has(member) ? textsOf(source.get(member), name) : null;
  const keyFormat = source.get('keyFormat');
  const valueFormat = source.get('valueFormat');
  const readOnly = source.get('isSource');
  return {
    name: textOf(source.get('name'), name),
    type: textOf(source.get('type'), name).toUpperCase(),
    schema: optionalText(source.get('schema')),
    keyFormat: isObject(keyFormat) ? keyFormat : null,
    valueFormat: isObject(valueFormat)
      ? textOf(valueFormat.get('format'), name)
      : optionalText(valueFormat),
    keyFeatures: features('keyFeatures'),
    valueFeatures: features('valueFeatures'),
    readOnly: typeof readOnly === 'boolean' ? readOnly : null,
  };
}

function objectOf(value: Json | undefined, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new TypeError(`${what} is no object`);
}

function optionalObject(value: Json | undefined, what: string): JsonObject {
  return value === undefined ? new Map() : objectOf(value, what);
}

function arrayOf(value: Json | undefined, what: string): readonly Json[] {
  if (isArray(value)) return value;
  throw new TypeError(`${what} is no array`);
}

function listOf(value: Json | undefined, what: string): readonly Json[] {
  return value === undefined || value === null ? [] : arrayOf(value, what);
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${what} has no text`);
}

function textsOf(value: Json | undefined, what: string): string[] {
  return listOf(value, what).map((item) => textOf(item, what));
}

function optionalText(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: Json | undefined): number | null {
  return value instanceof JsonNumber ? Number(value.text) : null;
}

/** Settings are text, however their file spells them. */
function settingText(value: Json): string {
  return typeof value === 'string' ? value : writeJson(value);
}
