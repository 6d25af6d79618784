// What the catalog knows of one stream or table; plain JSON, immutable.

import type { Schema } from '../data/schema.ts';
import type { FormatSpec } from '../formats/serde.ts';

/** Windowed keys carry their window behind the key bytes; a session's size is not fixed. */
export interface KeyWindow {
  readonly type: 'TUMBLING' | 'HOPPING' | 'SESSION' | 'SLIDING';
  readonly sizeMs: number | null;
}

/** The column that gives a record its event time. */
export interface TimestampColumn {
  readonly column: string;
  /** A Java date-time pattern for STRING columns; null for BIGINT and TIMESTAMP. */
  readonly format: string | null;
}

/** A column filled from the record's headers: all of them (`key` null) or the last one of that key. */
export interface HeaderColumn {
  readonly column: string;
  readonly key: string | null;
}

/** Rows by key, spread over partitions: those of a source, or those that a join makes. */
export interface Relation {
  readonly name: string;
  readonly kind: 'stream' | 'table';
  readonly partitions: number;
  /**
   * Key and value columns, in that order; window columns stand between them where `window` is set; header columns come
   * last, with the role `pseudo`.
   */
  readonly schema: Schema;
  /** How keys are written, and so hashed into partitions. */
  readonly keyFormat: FormatSpec;
  readonly valueFormat: FormatSpec;
  readonly window: KeyWindow | null;
}

/** A stream or a table over a topic. */
export interface Source extends Relation {
  readonly topic: string;
  readonly timestamp: TimestampColumn | null;
  readonly headers: readonly HeaderColumn[];
  /** true: read-only (CREATE SOURCE). */
  readonly readOnly: boolean;
  /** The persistent query that writes it; null when only its topic is written to. */
  readonly query: string | null;
  /** The statement that made it, as it was written; '' for millrace's own, which is not dropped. */
  readonly statement: string;
  /** The processor in code whose state it is: only pull queries read it, and it has no topic (''). Absent: it is no state. */
  readonly processor?: string | undefined;
}
