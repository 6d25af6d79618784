// The physical plan: versioned plain JSON between the SQL half and the dataflow half; only grows. Knows neither half's code.

import type { HeaderColumn, KeyWindow, TimestampColumn } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';

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

/** A window of a query. All in ms. `graceMs` is resolved (default: 24 hours less the size, never below 0). */
export interface WindowSpec {
  readonly type: 'TUMBLING' | 'HOPPING' | 'SESSION';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;
}

export interface AggregateCall {
  readonly function: string;
  readonly signature: string;
  /** Positions in the input's schema of the arguments; empty for COUNT(*). */
  readonly arguments: readonly number[];
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

/** INNER drops rows without a partner; LEFT keeps those of the left side, RIGHT of the right, FULL of both. */
export type JoinType = 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';

/**
 * What all joins by key share. Both inputs have the join key as their key columns, of the same types and in the same order, and the same
 * window columns (both windowed alike, or neither). Shape of what is emitted: the key columns and window columns, then the value columns of
 * the left input, then those of the right one; null where a side has no row. A row whose key is null anywhere joins nothing.
 */
interface JoinNode {
  readonly id: StepId;
  readonly left: StepId;
  readonly right: StepId;
  readonly type: JoinType;
  readonly schema: Schema;
}

/**
 * Joins rows of two streams whose rowtimes are close: `left.rowtime - beforeMs <= right.rowtime <= left.rowtime + afterMs`. Rowtime of a
 * result: the later of the two. Rows without a partner are padded with nulls: at once where `graceMs` is null (ksqlDB without GRACE: late
 * rows are taken for 24 hours), else once stream time has passed the end of their window and the grace.
 */
export interface StreamStreamJoinStep extends JoinNode {
  readonly step: 'streamStreamJoin';
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number | null;
}

/** Looks the right table up for each row of the left stream (INNER, LEFT); rows of the table emit nothing. Rowtime: the stream row's. */
export interface StreamTableJoinStep extends JoinNode {
  readonly step: 'streamTableJoin';
}

/**
 * Joins two tables by their key; a changelog. Rowtime: the later of the two rows, also for a tombstone. Emits without old rows: where what
 * follows needs them, a `materialize` step stands behind it.
 */
export interface TableTableJoinStep extends JoinNode {
  readonly step: 'tableTableJoin';
}

/** Keeps the rows of a changelog by key, so that what follows gets old rows and pull queries find them. */
export interface MaterializeStep {
  readonly step: 'materialize';
  readonly id: StepId;
  readonly input: StepId;
  readonly schema: Schema;
}

/**
 * The left table's end of a foreign-key join: keeps each row of the left table by its primary key, and joins it with the answers to its
 * subscription; answers to an older version of the row are dropped. Input 0 (`left`) is a changelog with old rows, input 1 (`responses`)
 * comes from `foreignKeyRespond`. Emits a changelog: the left key columns, the left value columns, then the right table's columns (key
 * columns first) as values. In the steps of a sub-topology it stands before its `foreignKeySubscribe`, so that it has kept a row before an
 * answer to it comes; where no repartition lies between, `responses` names a later step.
 */
export interface ForeignKeyJoinStep {
  readonly step: 'foreignKeyJoin';
  readonly id: StepId;
  readonly left: StepId;
  readonly responses: StepId;
  readonly type: 'INNER' | 'LEFT';
  readonly schema: Schema;
}

/**
 * Tells the right table which rows of the left table refer to which of its keys. Input: the left changelog with old rows. Emits per change
 * subscriptions and their ends: key column `foreignKey`; values: the left primary key columns, then the column SUBSCRIPTION (BYTES: what to
 * do and the version of the row, defined by operators/foreign-key.ts).
 */
export interface ForeignKeySubscribeStep {
  readonly step: 'foreignKeySubscribe';
  readonly id: StepId;
  readonly input: StepId;
  readonly foreignKey: Expr;
  readonly type: 'INNER' | 'LEFT';
  readonly schema: Schema;
}

/**
 * The right table's end: keeps its rows and the subscriptions by foreign key, and answers on a change of either. Input 0 (`subscriptions`),
 * input 1 (`right`): a changelog keyed by the foreign key. Emits answers: key columns: the left primary key; values: the column SUBSCRIPTION
 * (BYTES: the version of the left row that it answers, and whether there is a right row), then the right table's columns, key columns first.
 */
export interface ForeignKeyRespondStep {
  readonly step: 'foreignKeyRespond';
  readonly id: StepId;
  readonly subscriptions: StepId;
  readonly right: StepId;
  readonly type: 'INNER' | 'LEFT';
  readonly schema: Schema;
}

export type JoinStep = StreamStreamJoinStep | StreamTableJoinStep | TableTableJoinStep;

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
  | RekeyStep
  | RepartitionStep
  | AggregateStep
  | JoinStep
  | MaterializeStep
  | ForeignKeyJoinStep
  | ForeignKeySubscribeStep
  | ForeignKeyRespondStep
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
  /** Steps from the state to the sink's columns (project, tableFilter), applied to what is looked up. */
  readonly after: readonly StepId[];
  /** Finds the partition of a key. */
  readonly keyFormat: FormatSpec;
  /** `aggregate`: accumulator cells; `row`: the row itself (a materialized source, a table-to-table query). */
  readonly holds: 'aggregate' | 'row';
}

export interface Plan {
  readonly version: number;
  readonly query: string;
  readonly kind: 'persistent' | 'push';
  readonly statement: string;
  /** Internal topics to make before it starts. */
  readonly internalTopics: readonly { readonly name: string; readonly partitions: number }[];
  readonly subtopologies: readonly Subtopology[];
  readonly materialized: MaterializedTable | null;
  /** true: both sides of the repartition run in one task; `why` is shown by EXPLAIN. */
  readonly fused: { readonly fused: boolean; readonly why: string };
  /** Where a partition without a committed offset starts. */
  readonly from: 'earliest' | 'latest';
}

/** The step of that id in the plan, or undefined. */
export function stepById(plan: Plan, id: StepId): Step | undefined {
  for (const part of plan.subtopologies) {
    const found = part.steps.find((step) => step.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What the kernel can aggregate, as a table so that the SQL half needs no kernel code: function and argument kind
 * (null: no argument).
 */
export const KERNEL_AGGREGATES: ReadonlyMap<string, ReadonlySet<Type['kind'] | null>> = new Map([
  ['COUNT', new Set<Type['kind'] | null>([null, 'INTEGER', 'BIGINT', 'DOUBLE'])],
  ['SUM', new Set<Type['kind'] | null>(['INTEGER', 'BIGINT', 'DOUBLE'])],
  ['MIN', new Set<Type['kind'] | null>(['INTEGER', 'BIGINT', 'DOUBLE'])],
  ['MAX', new Set<Type['kind'] | null>(['INTEGER', 'BIGINT', 'DOUBLE'])],
  ['AVG', new Set<Type['kind'] | null>(['INTEGER', 'BIGINT', 'DOUBLE'])],
]);
