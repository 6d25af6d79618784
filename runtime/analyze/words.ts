// The words for what the analysis of plain statements refuses, fetched when something is refused; knows no rule.

import { type Position, StatementError } from '../base/errors.ts';
import { NAME_LENGTH_MAX } from '../base/limits.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import { STRING, type Type, typeText } from '../data/type.ts';
import type { ColumnDefinition, CreateSource, Name, Query } from '../sql/ast.ts';

export * from './rules/projection-words.ts';
export { unknownColumn, unknownSource } from './unknown-names.ts';

function invalid(message: string, at: Position, hint: string): StatementError {
  return new StatementError('INVALID', message, at, hint);
}

export function nameLength({ text, at }: Name): StatementError {
  return new StatementError(
    'LIMIT',
    `the name has ${text.length} characters`,
    at,
    `It has 1 to ${NAME_LENGTH_MAX}.`,
  );
}

export function alreadyExists({ kind, name }: Source, at: Position): StatementError {
  return new StatementError(
    'ALREADY_EXISTS',
    `the ${kind} ${name} exists already`,
    at,
    'Choose another name, DROP it first, or write IF NOT EXISTS or OR REPLACE.',
  );
}

export function noTopic(at: Position): StatementError {
  return invalid('the property KAFKA_TOPIC is missing', at, "Add KAFKA_TOPIC='...' to WITH (...).");
}

export function noColumns({ name }: CreateSource): StatementError {
  return invalid(
    `${name.text} has no columns`,
    name.at,
    'Declare them in parentheses behind the name: no schema registry tells them.',
  );
}

export function noPrimaryKey(at: Position): StatementError {
  return invalid('a table has a PRIMARY KEY', at, 'Add PRIMARY KEY to a column.');
}

export function unknownTopic(topic: string, at: Position): StatementError {
  return new StatementError(
    'UNKNOWN_TOPIC',
    `there is no topic ${topic}`,
    at,
    'Add PARTITIONS=... to make it.',
  );
}

export function reservedColumn({ text, at }: Name): StatementError {
  return invalid(`${text} is a reserved name`, at, 'Give the column another name.');
}

export function repeatedColumn({ text, at }: Name): StatementError {
  return invalid(`two columns are called ${text}`, at, 'Give one of them another name.');
}

export function wrongKey({ name, at }: ColumnDefinition, kind: 'stream' | 'table'): StatementError {
  const [given, due] = kind === 'table' ? ['KEY', 'PRIMARY KEY'] : ['PRIMARY KEY', 'KEY'];
  return invalid(`the column ${name.text} of a ${kind} is ${given}`, at, `Write ${due}.`);
}

export function readsWhatItWrites(topic: string, at: Position): StatementError {
  return invalid(
    `the query would read the topic ${topic} that it writes`,
    at,
    'Name another KAFKA_TOPIC.',
  );
}

export function isState({ name, processor }: Source, at: Position): StatementError {
  return invalid(
    `${name} is the state of the processor ${processor}: it has no records to read`,
    at,
    'Ask it without EMIT CHANGES, or let the processor emit to a stream.',
  );
}

const ANOTHER_TOPIC = "Name another with WITH (KAFKA_TOPIC='...').";

export function noTopicName(topic: string, at: Position): StatementError {
  return invalid(`no topic can be called ${topic}`, at, ANOTHER_TOPIC);
}

/** Refuses a topic that a query writes: of a source that has swapped its name, say. */
export function refuseWritten(topic: string, { sources, queries }: Catalog, at: Position): void {
  for (const { id, writes } of queries.values()) {
    if (writes === null || sources.get(writes)?.topic !== topic) continue;
    const message = `the topic ${topic} is written by ${id}, which makes ${writes}`;
    throw invalid(message, at, ANOTHER_TOPIC);
  }
}

export function keyFormatWithoutKey(at: Position): StatementError {
  return invalid('a key format for a stream without a key', at, 'Leave it out, or keep a key.');
}

export function otherPartitions(
  topic: string,
  existing: number,
  given: { readonly value: number; readonly at: Position },
): StatementError {
  return invalid(
    `the topic ${topic} exists with ${existing} partitions, not ${given.value}`,
    given.at,
    'Leave PARTITIONS out, or name another topic.',
  );
}

export function limitOfPersistent({ at }: Query): StatementError {
  return invalid(
    'LIMIT in a persistent query',
    at,
    'Only a query of a client ends after some rows.',
  );
}

/** Features of the language that this version does not run. */
export function unsupportedClause(what: string, at: Position): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, at);
}

export function unsupportedSetting(property: string, value: string, at: Position): StatementError {
  return new StatementError(
    'UNSUPPORTED',
    `the property ${property} is not supported yet`,
    at,
    `UNSET it, or set it to ${value}.`,
  );
}

export function untypedNull(at: Position): StatementError {
  return new StatementError(
    'TYPE_MISMATCH',
    'nothing says which type this NULL is',
    at,
    'Write CAST(NULL AS ...) with the type that is meant.',
  );
}

export function wrongType(what: string, is: Type, due: Type, at: Position): StatementError {
  return new StatementError(
    'TYPE_MISMATCH',
    `${what} is ${typeText(is)}, not ${typeText(due)}`,
    at,
    due.kind === STRING.kind ? 'CAST it to STRING.' : '',
  );
}

export function noAggregate(name: string, at: Position): StatementError {
  return new StatementError('UNKNOWN_FUNCTION', `${name} is no aggregate of these arguments`, at);
}
