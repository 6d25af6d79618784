// Reads the statements that change the catalog or its data: CREATE, ALTER, DROP and INSERT; it checks their form only.

import type { Position } from '../base/errors.ts';
import type {
  AlterSource,
  AlterSystem,
  ConnectorType,
  CreateAs,
  CreateConnector,
  CreateSource,
  CreateType,
  DropConnector,
  DropSource,
  DropType,
  InsertSelect,
  InsertValues,
  Name,
  SourceType,
  TypeName,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import {
  acceptColumns,
  acceptNames,
  acceptProperties,
  expectProperties,
  parseValues,
} from './definition.ts';
import { parseQuery } from './query.ts';
import { parseType } from './type.ts';

type Body<S> = Omit<S, 'text'>;

/** CREATE STREAM, TABLE, TYPE or CONNECTOR. */
export function parseCreate(
  cursor: Cursor,
): Body<CreateSource> | Body<CreateAs> | Body<CreateType> | Body<CreateConnector> {
  const { at } = cursor.advance();
  const orReplace = cursor.acceptPhrase('OR', 'REPLACE');
  if (!orReplace) {
    if (cursor.accept('TYPE')) return createType(cursor, at);
    if (cursor.looksAt('SOURCE', 'CONNECTOR')) return createConnector(cursor, 'SOURCE', at);
    if (cursor.looksAt('SINK', 'CONNECTOR')) return createConnector(cursor, 'SINK', at);
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
    cursor.refuse(
      'a query gives its own columns',
      'Leave out either the column list or AS SELECT.',
      columns[0]?.at,
    );
  }
  if (readOnly) {
    cursor.refuse(
      'CREATE SOURCE does not take a query',
      'Leave out SOURCE: the result of a query is written by it.',
    );
  }
  const query = parseQuery(cursor);
  return { kind: 'CreateAs', sourceType, orReplace, ifNotExists, name, properties, query, at };
}

/** ALTER STREAM or TABLE ... ADD, and ALTER SYSTEM. */
export function parseAlter(cursor: Cursor): Body<AlterSource> | Body<AlterSystem> {
  const { at } = cursor.advance();
  if (cursor.accept('SYSTEM')) {
    const property = cursor.string('a property in quotes');
    cursor.expect('=');
    return { kind: 'AlterSystem', property, value: cursor.string('a value in quotes'), at };
  }
  const sourceType = expectSourceType(cursor);
  const name = sourceName(cursor);
  const additions = cursor.list(() => addition(cursor));
  return { kind: 'AlterSource', sourceType, name, additions, at };
}

/** DROP STREAM, TABLE, TYPE or CONNECTOR. */
export function parseDrop(cursor: Cursor): Body<DropSource> | Body<DropType> | Body<DropConnector> {
  const { at } = cursor.advance();
  if (cursor.accept('TYPE')) {
    const ifExists = cursor.acceptPhrase('IF', 'EXISTS');
    return { kind: 'DropType', ifExists, name: cursor.name('a type name'), at };
  }
  if (cursor.accept('CONNECTOR')) {
    const ifExists = cursor.acceptPhrase('IF', 'EXISTS');
    return { kind: 'DropConnector', ifExists, name: cursor.name('a connector name'), at };
  }
  const sourceType = expectSourceType(cursor);
  const ifExists = cursor.acceptPhrase('IF', 'EXISTS');
  const name = sourceName(cursor);
  const deleteTopic = cursor.acceptPhrase('DELETE', 'TOPIC');
  return { kind: 'DropSource', sourceType, ifExists, name, deleteTopic, at };
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
    cursor.refuse(
      'INSERT INTO ... SELECT takes no column list',
      'The names of the selected columns decide.',
    );
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

function createType(cursor: Cursor, at: Position): Body<CreateType> {
  const ifNotExists = cursor.acceptPhrase('IF', 'NOT', 'EXISTS');
  const name = cursor.name('a type name');
  cursor.expect('AS');
  return { kind: 'CreateType', ifNotExists, name, type: parseType(cursor), at };
}

function createConnector(
  cursor: Cursor,
  connectorType: ConnectorType,
  at: Position,
): Body<CreateConnector> {
  cursor.advance();
  cursor.advance();
  const ifNotExists = cursor.acceptPhrase('IF', 'NOT', 'EXISTS');
  const name = cursor.name('a connector name');
  return {
    kind: 'CreateConnector',
    connectorType,
    ifNotExists,
    name,
    properties: expectProperties(cursor),
    at,
  };
}

function addition(cursor: Cursor): { name: Name; type: TypeName } {
  cursor.expect('ADD');
  // COLUMN is optional and may itself be the column's name: `ADD COLUMN INT` adds a column called COLUMN.
  const behind = cursor.peek(2);
  const named =
    cursor.is('COLUMN') && (behind.kind === 'end' || [',', '<', '<>', '('].includes(behind.key));
  if (!named) cursor.accept('COLUMN');
  const name = cursor.name('a column name');
  return { name, type: parseType(cursor) };
}
