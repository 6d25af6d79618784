// What a statement means once names and types are resolved: the input of the planner and the engine; plain data, no rules.

import type { Catalog, PersistentQuery } from '../catalog/catalog.ts';
import type { Relation, Source } from '../catalog/source.ts';
import type { ByteRange } from '../data/key.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import type { ConstantJson } from '../functions/aggregate-call.ts';
import type { CallContext, FunctionRegistry } from '../functions/registry.ts';

/** What a statement is analyzed against. */
export interface AnalyzeOptions {
  readonly catalog: Catalog;
  readonly registry: FunctionRegistry;
  readonly formats: Formats;
  /** Properties of the session by name (`auto.offset.reset`, `millrace.path`...), as SET gives them. */
  readonly properties: ReadonlyMap<string, string>;
  /** The number that the next persistent query takes in its id. */
  readonly queryNumber: number;
  /** What functions in VALUES may ask (now, random numbers). Absent: VALUES takes no calls. */
  readonly callContext?: CallContext | undefined;
  /** Partitions of the topics that exist, by name. Absent: only those of the catalog's sources are known. */
  readonly topics?: ReadonlyMap<string, { readonly partitions: number }> | undefined;
}

/** A window of an aggregation, in ms. Its size is a session's gap; tumbling windows and sessions advance by their size. */
export interface AggregationWindow {
  readonly type: 'TUMBLING' | 'HOPPING' | 'SESSION' | 'SLIDING';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;
  /** The query has a RETENTION. */
  readonly expires?: true | undefined;
}

/** One aggregate call; `arguments` are positions in `Aggregation.arguments`, the rest is as in plan/step.ts. */
export interface AnalyzedCall {
  readonly function: string;
  readonly signature: string;
  readonly arguments: readonly number[];
  readonly constants?: readonly ConstantJson[] | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly type: Type;
}

/** One call of a table function, over the row; with PARTITION BY over its columns followed by the row's. */
export interface TableCall {
  readonly function: string;
  readonly signature: string;
  readonly arguments: readonly Expr[];
  readonly type: Type;
}

/** GROUP BY: what is grouped and aggregated. */
export interface Aggregation {
  /** The grouping expressions, over the row. */
  readonly keys: readonly Expr[];
  /** What the calls take, each once, over the row. */
  readonly arguments: readonly Expr[];
  readonly calls: readonly AnalyzedCall[];
  readonly window: AggregationWindow | null;
  /** Key columns, window bounds where windowed, one value column per call: what HAVING and the projection are over. */
  readonly schema: Schema;
}

/** PARTITION BY: a new key. The projection is over these columns, then all columns of the row. */
export interface Repartitioning {
  readonly keys: readonly Expr[];
  readonly columns: readonly SchemaColumn[];
}

/** The columns that a query makes: key columns first, then window bounds, then values. */
export interface Projection {
  readonly schema: Schema;
  /**
   * One for each column of `schema`. Over the row; with an aggregation over `Aggregation.schema`; with PARTITION BY over
   * its columns followed by the row's. Behind these stands a column for each table function.
   */
  readonly expressions: readonly Expr[];
  /** Positions in `schema` in the order of the SELECT: how a client sees the rows. */
  readonly order: readonly number[];
}

export interface Cache {
  readonly blockOffsets: number;
  readonly intervalMs: number;
}

/** When results are shown, where that is not at once. */
export interface Emission {
  /** EMIT FINAL: each window's result once, when it has closed. */
  readonly final: boolean;
  /** EMIT CHANGES EVERY: at most one update a key in so many ms; null: every change. */
  readonly everyMs: number | null;
  /** Stream time follows the wall clock once no input has come for so many ms; null: only rows move it. */
  readonly idleMs: number | null;
  /** Of the changes of an aggregation within so many offsets, and so many ms of the wall clock, the last ones are shown; null: all are. */
  readonly cache: Cache | null;
}

/** What a query reads: a source, or the join of sources. Its row is what expressions over it are over. */
export type From = FromSource | FromJoin;

/** One source. */
export interface FromSource {
  readonly from: 'source';
  readonly source: Source;
  /** All columns of the source and the pseudo columns. */
  readonly row: Schema;
}

/** The left side of a join is all that is joined before it. */
export interface FromJoin {
  readonly from: 'join';
  /** INNER drops rows without a partner; LEFT keeps those of the left side, RIGHT of the right, FULL of both. */
  readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';
  /** `foreignKey`: two tables, the left of which names keys of the right; all others are by the key of both sides. */
  readonly kind: 'streamStream' | 'streamTable' | 'tableTable' | 'foreignKey';
  readonly left: JoinSide<From>;
  readonly right: JoinSide<FromSource>;
  /** Of a join of streams; null elsewhere. `graceMs` is null where no GRACE PERIOD is given. */
  readonly within: {
    readonly beforeMs: number;
    readonly afterMs: number;
    readonly graceMs: number | null;
  } | null;
  /** In how many partitions, and in which format of keys, its rows meet. A foreign key: those of the left table. */
  readonly partitions: number;
  readonly keyFormat: FormatSpec;
  /** Key columns, window bounds where windowed, then as values all columns of the row of each source, in the order of FROM. */
  readonly row: Schema;
}

/** One input of a join. */
export interface JoinSide<Input extends From> {
  readonly from: Input;
  /** What is equal on both sides, over the row of `from`. */
  readonly key: Expr;
  /**
   * How its rows come where their partners are: `none`: they are there; `rekey`: they get another key; `reformat`: their key is
   * the same, and is written in another format.
   */
  readonly move: 'none' | 'rekey' | 'reformat';
}

/** A query, persistent (CREATE AS, INSERT SELECT) or push (SELECT ... EMIT CHANGES). */
export interface QueryAnalysis {
  readonly kind: 'query';
  /** `pull`: over a stream, from its beginning to where it ends when it is asked. */
  readonly mode: 'persistent' | 'push' | 'pull';
  readonly id: string;
  readonly statement: string;
  readonly input: From;
  /** What `input` gives: the one source, or what the join makes. */
  readonly source: Relation;
  /** The row of `input`: what expressions before an aggregation are over. */
  readonly row: Schema;
  readonly where: Expr | null;
  readonly partitionBy: Repartitioning | null;
  /** The table functions of the SELECT. Absent: it can have none. */
  readonly tables?: readonly TableCall[] | undefined;
  readonly aggregation: Aggregation | null;
  readonly having: Expr | null;
  readonly projection: Projection;
  /** What the query writes; null for a push query. */
  readonly sink: Source | null;
  /** true: the sink is made by this statement (CREATE AS); false: it exists (INSERT SELECT). */
  readonly creates: boolean;
  /** null: every change, at once. */
  readonly emission: Emission | null;
  readonly limit: number | null;
  readonly from: 'earliest' | 'latest';
  /** What the catalog remembers of a persistent query. */
  readonly query: PersistentQuery | null;
  /** Of the topic that it makes. */
  readonly retentionMs: number | null;
  readonly compacted: boolean;
  readonly warnings: readonly string[];
}

/** Keys of a table's state, by their bytes (data/key.ts). */
export interface KeySpan {
  /** One value per key column where the span is one key, all its windows or some; null: there may be others. */
  readonly key: readonly Value[] | null;
  readonly range: ByteRange;
}

/** One expression of ORDER BY. */
export interface Ordering {
  readonly expr: Expr;
  readonly descending: boolean;
}

/** A pull query over a table: a question to its state. One over a stream is a `QueryAnalysis`. */
export interface PullAnalysis {
  readonly kind: 'pull';
  readonly statement: string;
  readonly source: Source;
  /** What `filter` and the projection are over: the columns of the source, then the pseudo columns. */
  readonly row: Schema;
  /** They hold every row that passes `filter`. */
  readonly spans: readonly KeySpan[];
  /** The whole WHERE, to be applied to what is found; null without WHERE. */
  readonly filter: Expr | null;
  readonly projection: Projection;
  /** Over `row`; empty: in the order of the keys. */
  readonly order: readonly Ordering[];
  readonly limit: number | null;
}

/** CREATE STREAM or TABLE over a topic. */
export interface CreateSourceAnalysis {
  readonly kind: 'createSource';
  /** New, or what a source of that name becomes (CREATE OR REPLACE). */
  readonly source: Source;
  /** What keeps the rows of a SOURCE TABLE; null for all others. */
  readonly query: PersistentQuery | null;
  /** The topic to make where it does not exist yet. */
  readonly topic: {
    readonly name: string;
    readonly partitions: number;
    readonly retentionMs: number | null;
    readonly compacted: boolean;
  };
  readonly warnings: readonly string[];
}

/** INSERT VALUES: one record. */
export interface InsertValuesAnalysis {
  readonly kind: 'insertValues';
  readonly source: Source;
  /** One value per key and value column of the source, in its order; null where none was given. */
  readonly values: readonly Value[];
  /** true: no key column was given and the record has no key. */
  readonly keyNull: boolean;
  /** Milliseconds since the Unix epoch as given; null: now. */
  readonly rowtime: number | null;
}

/** ALTER ... SWAP WITH: two sources exchange their names, once `other` has what its topics held. */
export interface SwapAnalysis {
  readonly kind: 'swap';
  readonly source: Source;
  readonly other: Source;
  /** How long it may take until `other` has. */
  readonly timeoutMs: number;
}

/** A statement that changes the catalog or the session, or asks about it. */
export type ControlAnalysis =
  | { readonly kind: 'none'; readonly message: string }
  | {
      readonly kind: 'dropSource';
      readonly source: Source;
      /** The query that made the source and ends with it. */
      readonly terminates: string | null;
      readonly deleteTopic: boolean;
    }
  /** ALTER: the source as it becomes. */
  | { readonly kind: 'alterSource'; readonly source: Source }
  | SwapAnalysis
  | { readonly kind: 'terminate'; readonly queries: readonly string[] }
  /** PAUSE and RESUME. */
  | { readonly kind: 'pause'; readonly queries: readonly string[]; readonly paused: boolean }
  | { readonly kind: 'createType'; readonly name: string; readonly type: Type }
  | { readonly kind: 'dropType'; readonly name: string }
  /** SET, or UNSET where `value` is null; ALTER SYSTEM where it is for all sessions. */
  | {
      readonly kind: 'set';
      readonly property: string;
      readonly value: string | null;
      readonly system: boolean;
    }
  /** DEFINE, or UNDEFINE where `value` is null. */
  | { readonly kind: 'define'; readonly variable: string; readonly value: string | null }
  | AssertTopicAnalysis
  | {
      readonly kind: 'show';
      readonly target: Shown;
      readonly extended: boolean;
      /** SHOW ALL TOPICS: those that no user made, too. */
      readonly all: boolean;
    }
  | {
      readonly kind: 'describe';
      readonly sources: readonly Source[];
      readonly extended: boolean;
      /** All sources of a kind are meant, however many there are. */
      readonly many: boolean;
    }
  | { readonly kind: 'describeFunction'; readonly function: string }
  | {
      readonly kind: 'explain';
      readonly subject:
        | { readonly kind: 'analysis'; readonly analysis: Analysis }
        | { readonly kind: 'query'; readonly id: string };
    };

/** ASSERT [NOT EXISTS] TOPIC: what must be so within the time. */
export interface AssertTopicAnalysis {
  readonly kind: 'assertTopic';
  readonly topic: string;
  readonly exists: boolean;
  /** null: any number. */
  readonly partitions: number | null;
  /** null: any number. */
  readonly replicas: number | null;
  readonly timeoutMs: number;
}

/** What SHOW can list. */
export type Shown =
  | 'STREAMS'
  | 'TABLES'
  | 'TOPICS'
  | 'QUERIES'
  | 'FUNCTIONS'
  | 'TYPES'
  | 'VARIABLES'
  | 'PROPERTIES';

/** What a statement means. */
export type Analysis =
  | QueryAnalysis
  | PullAnalysis
  | CreateSourceAnalysis
  | InsertValuesAnalysis
  | ControlAnalysis;
