// Compares a stream or table of the catalog with what a case says of it; knows no records.

import type { Catalog } from '../../runtime/catalog/catalog.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import { resolveType } from '../../runtime/catalog/types.ts';
import { type Type, typeText } from '../../runtime/data/type.ts';
import type { ColumnDefinition } from '../../runtime/sql/ast.ts';
import { parseColumns } from '../../runtime/sql/parser.ts';
import type { ExpectedSource } from './case.ts';
import { type Json, JsonNumber } from './json.ts';

/** What differs, as a sentence; null when the catalog has the source as it is expected. */
export function sourceDifference(expected: ExpectedSource, catalog: Catalog): string | null {
  const source = catalog.sources.get(expected.name);
  if (source === undefined) return `there is no ${expected.type} ${expected.name}`;
  const facts = factsOf(source);
  for (const [name, wanted] of expectations(expected, catalog)) {
    const got = facts.get(name) ?? 'none';
    if (wanted !== got) return `${source.name}: ${name}: expected ${wanted}, got ${got}`;
  }
  return null;
}

function factsOf(source: Source): ReadonlyMap<string, string> {
  const isSingle = source.schema.columns.filter(({ role }) => role === 'value').length === 1;
  return new Map([
    ['type', source.kind.toUpperCase()],
    ['schema', columnsText(source)],
    ['key format', source.keyFormat.format],
    ['window', source.window?.type ?? 'none'],
    ['window size', `${source.window?.sizeMs ?? 'none'}`],
    ['value format', source.valueFormat.format],
    [
      'value features',
      isSingle ? (source.valueFormat.wrap ? 'WRAP_SINGLES' : 'UNWRAP_SINGLES') : '',
    ],
    ['read only', `${source.readOnly}`],
  ]);
}

function expectations(
  expected: ExpectedSource,
  catalog: Catalog,
): readonly (readonly [string, string])[] {
  const { schema, keyFormat, valueFormat, valueFeatures, readOnly } = expected;
  const wanted: (readonly [string, string])[] = [['type', expected.type]];
  if (schema !== null) wanted.push(['schema', declaredText(schema, catalog)]);
  if (keyFormat !== null) {
    wanted.push(
      ['key format', textOf(keyFormat.get('format'))],
      ['window', textOf(keyFormat.get('windowType'))],
      ['window size', textOf(keyFormat.get('windowSize'))],
    );
  }
  if (valueFormat !== null) wanted.push(['value format', valueFormat]);
  if (valueFeatures !== null && valueFeatures.length > 0) {
    wanted.push(['value features', valueFeatures.join(' ')]);
  }
  if (readOnly !== null) wanted.push(['read only', `${readOnly}`]);
  return wanted;
}

function textOf(member: Json | undefined): string {
  if (member instanceof JsonNumber) return member.text;
  return typeof member === 'string' ? member : 'none';
}

/** The columns that a text declares; a key is a key, PRIMARY or not. */
function declaredText(columns: string, { types }: Catalog): string {
  const shown = parseColumns(columns).map(({ name, type, constraint }) => ({
    name: name.text,
    type: resolveType(type, types),
    mark: markOf(constraint),
  }));
  // Keys stand first in a schema, wherever they are declared.
  const keys = shown.filter(({ mark }) => mark === 'key');
  const values = shown.filter(({ mark }) => mark === 'value');
  const headers = shown.filter(({ mark }) => mark !== 'key' && mark !== 'value');
  return [...keys, ...values, ...headers].map(shownColumn).join(', ');
}

function markOf(constraint: ColumnDefinition['constraint']): string {
  switch (constraint?.kind) {
    case undefined:
      return 'value';
    case 'Headers':
      return 'header *';
    case 'Header':
      return `header ${constraint.key}`;
    default:
      return 'key';
  }
}

function columnsText({ schema, headers }: Source): string {
  return schema.columns
    .filter(({ role }) => role !== 'window')
    .map(({ name, type, role }) => {
      const header = headers.find(({ column }) => column === name);
      return { name, type, mark: header === undefined ? role : `header ${header.key ?? '*'}` };
    })
    .map(shownColumn)
    .join(', ');
}

function shownColumn({ name, type, mark }: { name: string; type: Type; mark: string }): string {
  return `${name} ${typeText(type)} ${mark}`;
}
