// Reads the statements that make sources and rows: CREATE and INSERT; it checks their form only.

import type {
  CreateAs,
  CreateConnector,
  CreateSource,
  CreateType,
  InsertSelect,
  InsertValues,
  Name,
  SourceType,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptColumns, acceptNames, acceptProperties, parseValues } from './definition.ts';
import { RARE_DEFINITIONS } from './parts.ts';
import { parseQuery } from './query.ts';

type Body<S> = Omit<S, 'text'>;

/** CREATE STREAM, TABLE, TYPE or CONNECTOR. */
export function parseCreate(
  cursor: Cursor,
): Body<CreateSource> | Body<CreateAs> | Body<CreateType> | Body<CreateConnector> {
  const { at } = cursor.advance();
  const orReplace = cursor.acceptPhrase('OR', 'REPLACE');
  if (!orReplace) {
    if (cursor.accept('TYPE')) return RARE_DEFINITIONS.code.createType(cursor, at);
    for (const type of ['SOURCE', 'SINK'] as const) {
      if (cursor.looksAt(type, 'CONNECTOR'))
        return RARE_DEFINITIONS.code.createConnector(cursor, type, at);
    }
  }
  const readOnly = cursor.accept('SOURCE');
  const sourceType = expectSourceType(cursor);
  const ifNotExists = cursor.acceptPhrase('IF', 'NOT', 'EXISTS');
  const name = sourceName(cursor);
  const columns = acceptColumns(cursor);
  const properties = acceptProperties(cursor);
  if (!cursor.accept('AS')) {
    return {
      kind: 'CreateSource',
      sourceType,
      orReplace,
      readOnly,
      ifNotExists,
      name,
      columns,
      properties,
      at,
    };
  }
  if (columns !== null) {
    cursor.refuseAs('columnsOfQuery', '', columns[0]?.at);
  }
  if (readOnly) {
    cursor.refuseAs('sourceOfQuery');
  }
  const query = parseQuery(cursor);
  return { kind: 'CreateAs', sourceType, orReplace, ifNotExists, name, properties, query, at };
}

/** INSERT INTO ... SELECT or VALUES. */
export function parseInsert(cursor: Cursor): Body<InsertSelect> | Body<InsertValues> {
  const { at } = cursor.advance();
  cursor.expect('INTO');
  const target = sourceName(cursor);
  const columns = acceptNames(cursor);
  if (columns === null) {
    const properties = acceptProperties(cursor);
    if (properties.length > 0 || cursor.is('SELECT')) {
      return { kind: 'InsertSelect', target, properties, query: parseQuery(cursor), at };
    }
    if (!cursor.is('VALUES')) cursor.fail(['VALUES', 'SELECT']);
  } else if (cursor.is('SELECT')) {
    cursor.refuseAs('insertColumns');
  }
  cursor.expect('VALUES');
  return { kind: 'InsertValues', target, columns, values: parseValues(cursor), at };
}

/** STREAM or TABLE. */
export function expectSourceType(cursor: Cursor): SourceType {
  if (cursor.accept('STREAM')) return 'STREAM';
  cursor.expect('TABLE');
  return 'TABLE';
}

/** The name of a stream or table. */
export function sourceName(cursor: Cursor): Name {
  return cursor.name('a stream or table name');
}
