// The physical plan: versioned plain JSON between the SQL half and the dataflow half; only grows. Knows neither half's code.

import type { HeaderColumn, KeyWindow, TimestampColumn } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';
import type {
  ForeignKeyJoinStep,
  ForeignKeyRespondStep,
  ForeignKeySubscribeStep,
  JoinStep,
} from './join-step.ts';
import type { ConstantJson } from '../functions/aggregate-call.ts';
import type { ProcessorDeclaration } from '../functions/user-processor.ts';

/** Raised when a step changes its meaning; new optional fields do not raise it. A newer plan is refused, never guessed. */
export const PLAN_VERSION = 1;

/** Which implementation runs a step: shown by EXPLAIN; both give the same answer and store the same bytes. */
export type Path = { readonly path: 'kernel' } | { readonly path: 'row'; readonly why: string };

/** Names a step within its plan, in the order of the flow: `1`, `2`, ... Also the id of the step's state table. */
export type StepId = string;

/**
 * Reads user records of a topic and decodes the columns that the plan touches. Records that cannot be decoded or have no
 * timestamp are skipped, counted and logged. A table's null value is a tombstone; a table's record without a key is skipped.
 */
export interface SourceStep {
  readonly step: 'source';
  readonly id: StepId;
  readonly source: string;
  readonly kind: 'stream' | 'table';
  readonly topic: string;
  readonly keyFormat: FormatSpec;
  readonly valueFormat: FormatSpec;
  readonly window: KeyWindow | null;
  readonly timestamp: TimestampColumn | null;
  readonly headers: readonly HeaderColumn[];
  /** All key and value columns of the source: what the decoders are made for. */
  readonly sourceSchema: Schema;
  /** What is emitted: the touched columns of the source, and the pseudo columns asked for, by name. */
  readonly schema: Schema;
  /** Keep the rows of a table in a state table, so that downstream gets old rows and pull queries find them. */
  readonly materialized: boolean;
  /** Where a partition without a committed offset starts, if not where the plan says: a table that is joined is read as a whole. */
  readonly from?: 'earliest' | undefined;
  /** Where values in JSON are decoded; absent: in other formats, or not said, and then in the kernel where there is one that can. */
  readonly run?: Path | undefined;
}

/** Reads encoded batches from an internal topic. */
export interface InternalSourceStep {
  readonly step: 'internalSource';
  readonly id: StepId;
  readonly topic: string;
  readonly schema: Schema;
}

/** Keeps the rows whose predicate is true; null and failure count as false. A table's row that no longer passes becomes a tombstone (tableFilter). */
export interface FilterStep {
  readonly step: 'filter';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly predicate: Expr;
}

/** As `filter`, on a changelog: keeps which keys passed, and emits a tombstone only for a key that had passed. */
export interface TableFilterStep {
  readonly step: 'tableFilter';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly predicate: Expr;
}

/** Computes all columns anew: `expressions[i]` is column i of `schema`. A null value (valueNull) stays a null value. */
export interface ProjectStep {
  readonly step: 'project';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly expressions: readonly Expr[];
}

/** One table function of a `flatMap`; `type` is that of its column. */
export interface TableCall {
  readonly function: string;
  readonly signature: string;
  /** Over the input's schema. */
  readonly arguments: readonly Expr[];
  readonly type: Type;
}

/**
 * Makes of each row of a stream as many as the longest of its table functions gives, none included. The columns of `schema` are those
 * `carried` from the input, by position, the same in each of them, then one for each call: its rows, then nulls where others go on.
 */
export interface FlatMapStep {
  readonly step: 'flatMap';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly carried: readonly number[];
  readonly calls: readonly TableCall[];
}

/**
 * Gives rows a new key (PARTITION BY, GROUP BY): the first columns of `schema` are the key, from `key`; the others are
 * carried over from `carried` (positions in the input's schema). With `dropNullKeys` (GROUP BY) rows with any null in the new key, and
 * rows whose value is null, are dropped.
 */
export interface RekeyStep {
  readonly step: 'rekey';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly key: readonly Expr[];
  readonly carried: readonly number[];
  readonly dropNullKeys: boolean;
}

/**
 * Ends a sub-topology: writes encoded batches to an internal topic. The partition of a row is murmur2 of its key, written
 * in `keyFormat`, modulo the partitions, so that the topic is co-partitioned with user topics of that key.
 */
export interface RepartitionStep {
  readonly step: 'repartition';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly topic: string;
  readonly partitions: number;
  readonly keyFormat: FormatSpec;
}

/**
 * A window of a query. All in ms. `sizeMs` of a session is its gap; `advanceMs` is the size but for hopping windows. `graceMs` is
 * resolved (default: 24 hours less the size, never below 0). `retentionMs` counts in stream time from a window's start, or from a
 * session's end; it is at least size and grace, of sliding windows three sizes, 1 and grace.
 */
export interface WindowSpec {
  readonly type: 'TUMBLING' | 'HOPPING' | 'SESSION' | 'SLIDING';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;
  /** The query has a RETENTION: when it is over, rows leave the state table. Absent: they stay. */
  readonly expires?: true | undefined;
}

export interface AggregateCall {
  readonly function: string;
  readonly signature: string;
  /** Positions in the input's schema of the arguments that are columns; empty for COUNT(*). */
  readonly arguments: readonly number[];
  /** Constant (initial) arguments, which stand behind the columns; absent: the function has none. */
  readonly constants?: readonly ConstantJson[] | undefined;
  /** Properties that configure the function and were set when the statement was planned, by name. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly type: Type;
}

/**
 * Aggregates by the input's key columns, per window where there is one. Emits after every accepted row. Schema: the key
 * columns, the window columns where windowed, then one value column per call. Over a changelog the input brings
 * old rows and each call can be undone.
 */
export interface AggregateStep {
  readonly step: 'aggregate';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly window: WindowSpec | null;
  readonly calls: readonly AggregateCall[];
  /** Emit the old row before the new one. */
  readonly old: boolean;
  /** What feeds it: decides undo. */
  readonly over: 'stream' | 'table';
  readonly run: Path;
}

/**
 * EMIT FINAL: holds each window's row back, the last one of each key, until the window has closed; then emits it once. Stream
 * time is that of the rows that come. Rows of closed windows come in the order of their end, then their start, then their key.
 */
export interface SuppressStep {
  readonly step: 'suppress';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly window: WindowSpec;
}

/**
 * EMIT CHANGES EVERY: keeps the last row of each key and hands all of them over at a commit, in the order of their keys, when
 * `everyMs` of the wall clock have passed since it did so last. Old rows are left out.
 */
export interface CoalesceStep {
  readonly step: 'coalesce';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly everyMs: number;
}

/**
 * A cache, as Kafka Streams calls it: of the changes that an aggregation makes within `blockOffsets` offsets of a partition that the task
 * reads, only the last of each key goes on, in the order in which the keys first changed. Blocks begin at multiples of it, wherever reading
 * began, so that no cut of batches shows. One that is not full ends when its first record was taken in `intervalMs` of the wall clock ago.
 * Nothing of a block is committed before its end.
 */
export interface CacheStep {
  readonly step: 'cache';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly blockOffsets: number;
  readonly intervalMs: number;
}

/** Keeps the rows of a changelog by key, so that what follows gets old rows and pull queries find them. */
export interface MaterializeStep {
  readonly step: 'materialize';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
}

/**
 * Hands each record to a processor in code, which the engine is given at every opening: input i of the processor is step `inputs[i]`. What it
 * emits goes to the `output` steps behind it; its own schema is empty. Its state tables are `<id>.<name>`: rows as `materialize` keeps them.
 */
export interface ProcessStep {
  readonly step: 'process';
  readonly id: StepId;
  readonly inputs: readonly StepId[];
  readonly schema: Schema;
  readonly processor: string;
  /** What it was declared with when the query was made; code that is declared otherwise does not run it. */
  readonly declaration: ProcessorDeclaration;
}

/** The rows of one output of a processor: those that were made with this step's schema, the object itself. */
export interface OutputStep {
  readonly step: 'output';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  /** As code calls it. */
  readonly output: string;
}

/** Writes rows to a user topic as records; inserts, updates and tombstones alike; old rows are left out. */
export interface SinkStep {
  readonly step: 'sink';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  readonly sink: string;
  readonly kind: 'stream' | 'table';
  readonly topic: string;
  readonly partitions: number;
  readonly keyFormat: FormatSpec;
  readonly valueFormat: FormatSpec;
  readonly window: KeyWindow | null;
  /** The column that the written records take their timestamp from; null: rowtime. */
  readonly timestamp: TimestampColumn | null;
}

/** Hands rows to the client of a push query; `limit` ends the query after so many rows. */
export interface ClientStep {
  readonly step: 'client';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
  /** Positions in `schema` of the columns in the order of the SELECT, as the client sees them; absent: as the schema. */
  readonly order?: readonly number[] | undefined;
  readonly limit: number | null;
}

export type Step =
  | SourceStep
  | InternalSourceStep
  | FilterStep
  | TableFilterStep
  | ProjectStep
  | FlatMapStep
  | RekeyStep
  | RepartitionStep
  | AggregateStep
  | SuppressStep
  | CoalesceStep
  | CacheStep
  | JoinStep
  | MaterializeStep
  | ForeignKeyJoinStep
  | ForeignKeySubscribeStep
  | ForeignKeyRespondStep
  | ProcessStep
  | OutputStep
  | SinkStep
  | ClientStep;

/** Steps between topics that run as one task per partition; in the order of the flow, sources first. */
export interface Subtopology {
  readonly id: number;
  readonly steps: readonly Step[];
  /** Partitions of its inputs: as many tasks. */
  readonly partitions: number;
  /**
   * true: a step is reached by two paths from one input (a self join, several joins over one topic): each row goes all the way, depth first
   * and in the order of the steps, before the next one, as in Kafka Streams.
   */
  readonly rowByRow?: true | undefined;
}

/** The state table that answers pull queries on the plan's sink. */
export interface MaterializedTable {
  readonly subtopology: number;
  readonly table: StepId;
  /** What the state table's rows are: the step's schema. */
  readonly schema: Schema;
  readonly window: WindowSpec | null;
  /** The `suppress` step behind it: a row that it still holds back is not in the table yet. */
  readonly pending?: StepId | undefined;
  /** Steps from the state to the sink's columns (project, tableFilter), applied to what is looked up. */
  readonly after: readonly StepId[];
  /** Finds the partition of a key. */
  readonly keyFormat: FormatSpec;
  /** `aggregate`: accumulator cells; `row`: the row itself (a materialized source, a table-to-table query). */
  readonly holds: 'aggregate' | 'row';
  /** A key may be in every partition: its place does not follow from it. */
  readonly everywhere?: true | undefined;
}

/** Rows of a state table that go to another one when a query that was upgraded goes on: the columns of the two differ. */
export interface MovedTable {
  readonly subtopology: number;
  readonly from: StepId;
  /** null: the rows are forgotten. */
  readonly to: StepId | null;
  /** Rows before and after; columns are the same by name, and those that are new are null in the rows that move. */
  readonly before: Schema;
  readonly after: Schema;
}

export interface Plan {
  readonly version: number;
  readonly query: string;
  readonly kind: 'persistent' | 'push' | 'pull';
  readonly statement: string;
  /** Internal topics to make before it starts. */
  readonly internalTopics: readonly { readonly name: string; readonly partitions: number }[];
  readonly subtopologies: readonly Subtopology[];
  readonly materialized: MaterializedTable | null;
  /** Of a processor: its state tables, by their names in the catalog. */
  readonly tables?: Readonly<Record<string, MaterializedTable>> | undefined;
  /** true: both sides of the repartition run in one task; `why` is shown by EXPLAIN. */
  readonly fused: { readonly fused: boolean; readonly why: string };
  /** Where a partition without a committed offset starts. */
  readonly from: 'earliest' | 'latest';
  /** Stream time follows the wall clock once no input has come for so many ms; absent: only rows move it. */
  readonly idleMs?: number | undefined;
  /** A record without a usable timestamp ends the query; absent: it is skipped. */
  readonly strictTimestamps?: true | undefined;
  /** What CREATE OR REPLACE has moved, by the order of the upgrades; absent: nothing. */
  readonly moved?: readonly MovedTable[] | undefined;
}

/** What every kernel can aggregate, so that the SQL half needs no kernel code. */
export const KERNEL_AGGREGATES: ReadonlySet<string> = new Set([
  'COUNT',
  'SUM',
  'MIN',
  'MAX',
  'AVG',
]);
/** Of arguments of these types. */
export const KERNEL_ARGUMENTS: ReadonlySet<string | undefined> = new Set([
  'INTEGER',
  'BIGINT',
  'DOUBLE',
]);
