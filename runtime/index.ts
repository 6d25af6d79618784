// The package's main entry: the engine, its ports and its errors; hosts with their own adapters have entries of their own.

export { openEngine } from './engine/engine.ts';
export { open } from './engine/open.ts';
export { memoryHost } from './memory/memory-host.ts';
export { ManualClock } from './memory/manual-clock.ts';
export { systemClock } from './memory/system-clock.ts';
export {
  InvariantError,
  LimitError,
  PortError,
  RecordError,
  StatementError,
  TaskCorrupted,
} from './base/errors.ts';
export { BatchBuilder } from './data/batch-builder.ts';
export type {
  Engine,
  EngineOptions,
  EngineStats,
  ExecuteOptions,
  InsertOptions,
  QueryOptions,
  TaskPlace,
} from './engine/engine.ts';
export type { Entity } from './engine/entities.ts';
export type { ProducedAt, ProducedRecord } from './engine/insert.ts';
export type { FileStorage, OpenOptions } from './engine/open.ts';
export type { QueryStats } from './engine/queries.ts';
export type { QueryChange, QueryColumn, QueryRows } from './engine/query-rows.ts';
export type { ReadOptions } from './engine/records.ts';
export type { TopicRecord } from './data/topic-record.ts';
export type {
  MillraceError,
  Position,
  PortCode,
  RecordCode,
  StatementCode,
} from './base/errors.ts';
export type { Batch } from './data/batch.ts';
export type { Column } from './data/column.ts';
export type { RecordHeader } from './data/record.ts';
export type { PublicOptions, PublicRow, PublicValue } from './data/row.ts';
export type { Schema, SchemaColumn } from './data/schema.ts';
export {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
} from './data/type.ts';
export type { Field, Type, Value } from './data/type.ts';
export { aggregateFunction, scalarFunction, tableFunction } from './functions/user-functions.ts';
export type {
  AggregateOverload,
  CallContext,
  Overload,
  ScalarOverload,
  TableOverload,
} from './functions/registry.ts';
export type {
  AggregateFunctionDeclaration,
  ArgumentValues,
  FunctionParameter,
  Given,
  NullRule,
  ScalarFunctionDeclaration,
  StateValues,
  TableFunctionDeclaration,
} from './functions/user-functions.ts';
export { processor, table } from './functions/user-processor.ts';
export type {
  EmitOptions,
  EmittedRow,
  Processor,
  ProcessorContext,
  ProcessorDeclarationOf,
  ProcessorRecord,
  ProcessorTable,
  TableColumns,
} from './functions/user-processor.ts';
export type { ValueOf, WrittenType } from './functions/user-types.ts';
export type { MemoryHost, MemoryHostOptions } from './memory/memory-host.ts';
export type * from './ports/clock.ts';
export type * from './ports/host.ts';
export type * from './ports/log.ts';
export type * from './ports/store.ts';
export type * from './ports/transport.ts';
export type * from './ports/workers.ts';
