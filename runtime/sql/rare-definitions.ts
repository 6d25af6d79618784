// Reads the rarer statements that change the catalog: ALTER, DROP, CREATE TYPE and CREATE CONNECTOR; it checks their form only.

import type { Position } from '../base/errors.ts';
import type {
  AlterSource,
  AlterSystem,
  ConnectorType,
  CreateConnector,
  CreateType,
  DropConnector,
  DropSource,
  DropType,
  Name,
  Property,
  SwapSources,
  TypeName,
} from './ast.ts';
import { acceptTimeout } from './admin-statements.ts';
import type { Cursor } from './cursor.ts';
import { acceptProperties } from './definition.ts';
import { expectSourceType, sourceName } from './definition-statements.ts';
import { parseType } from './type.ts';

type Body<S> = Omit<S, 'text'>;

/** ALTER STREAM or TABLE ... ADD or SWAP WITH, and ALTER SYSTEM. */
export function parseAlter(
  cursor: Cursor,
): Body<AlterSource> | Body<SwapSources> | Body<AlterSystem> {
  const { at } = cursor.advance();
  if (cursor.accept('SYSTEM')) {
    const property = cursor.string('a property in quotes');
    cursor.expect('=');
    return { kind: 'AlterSystem', property, value: cursor.string('a value in quotes'), at };
  }
  const sourceType = expectSourceType(cursor);
  const name = sourceName(cursor);
  if (cursor.acceptPhrase('SWAP', 'WITH')) {
    const other = sourceName(cursor);
    return { kind: 'SwapSources', sourceType, name, other, timeout: acceptTimeout(cursor), at };
  }
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

/** CREATE TYPE, behind that word. */
export function createType(cursor: Cursor, at: Position): Body<CreateType> {
  const ifNotExists = cursor.acceptPhrase('IF', 'NOT', 'EXISTS');
  const name = cursor.name('a type name');
  cursor.expect('AS');
  return { kind: 'CreateType', ifNotExists, name, type: parseType(cursor), at };
}

/** CREATE SOURCE or SINK CONNECTOR. */
export function createConnector(
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

/** `(name = literal, ...)` after a WITH that must stand. */
function expectProperties(cursor: Cursor): Property[] {
  if (!cursor.is('WITH')) cursor.expect('WITH');
  return acceptProperties(cursor);
}
