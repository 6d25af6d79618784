// The steps of joins, as plans hold them: by the key of both sides, and by foreign key; knows no other step.

import type { Schema } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { StepId } from './step.ts';

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
