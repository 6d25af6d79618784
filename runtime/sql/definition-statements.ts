// Reads the statements that make sources and rows: CREATE and INSERT; it checks their form only.

import type {
  CreateAs,
  CreateConnector,
  CreateSource,
  CreateType,
  Name,
  SourceType,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptColumns, acceptProperties } from './definition.ts';
import { RARE_STATEMENTS } from './parts.ts';
import { parseQuery } from './query.ts';

type Body<S> = Omit<S, 'text'>;

/** CREATE STREAM, TABLE, TYPE or CONNECTOR. */
export function parseCreate(
  cursor: Cursor,
): Body<CreateSource> | Body<CreateAs> | Body<CreateType> | Body<CreateConnector> {
  const { at } = cursor.advance();
  const orReplace = cursor.acceptPhrase('OR', 'REPLACE');
  if (!orReplace) {
    if (cursor.accept('TYPE')) return RARE_STATEMENTS.code.createType(cursor, at);
    for (const type of ['SOURCE', 'SINK'] as const) {
      if (cursor.looksAt(type, 'CONNECTOR'))
        return RARE_STATEMENTS.code.createConnector(cursor, type, at);
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
