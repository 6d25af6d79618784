// What a partition says of itself in SQLite: its one row of bounds, and the incarnations that its records had before it was restored; synchronous.

import { type Cleaned, NOT_CLEANED } from '../../runtime/ports/cleaning.ts';
import { originOf } from '../../runtime/ports/incarnation.ts';
import type { Bounds } from '../../runtime/ports/log.ts';
import type { TopicPolicy } from '../../runtime/ports/topic-policy.ts';
import type { PartitionSpec } from '../env.ts';

/** The one row of `meta`: which partition this is, and its bounds. */
export interface PartitionMeta {
  readonly tenant: string;
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly generation: number;
  readonly policy: TopicPolicy;
  readonly start: number;
  readonly next: number;
  readonly forgottenMs: number;
  /** Bytes of all batches. */
  readonly lengthBytes: number;
  /** How far compaction, or merging, has come. */
  readonly cleaned: Cleaned;
}

interface MetaRow {
  [column: string]: SqlStorageValue;
  open: number;
  tenant: string;
  topic: string;
  partition: number;
  incarnation: string;
  generation: number;
  policy: string;
  start: number;
  next: number;
  forgottenMs: number | null;
  lengthBytes: number;
  cleaned: string | null;
}

/** Empty but in partitions that were restored: `end` is null where nothing is known of what had been read under that incarnation. */
export const META_TABLES = `
CREATE TABLE IF NOT EXISTS meta(
  id INTEGER PRIMARY KEY CHECK (id = 0), open INTEGER NOT NULL, tenant TEXT NOT NULL, topic TEXT NOT NULL,
  partition INTEGER NOT NULL, incarnation TEXT NOT NULL, generation INTEGER NOT NULL, policy TEXT NOT NULL,
  start INTEGER NOT NULL, next INTEGER NOT NULL, forgottenMs REAL, lengthBytes INTEGER NOT NULL, cleaned TEXT);
CREATE TABLE IF NOT EXISTS earlier(incarnation TEXT PRIMARY KEY, end INTEGER) WITHOUT ROWID;
`;

/** The partition as it stands; null while it is not open. */
export function storedMeta(sql: SqlStorage): PartitionMeta | null {
  const row = sql.exec<MetaRow>('SELECT * FROM meta').toArray()[0];
  if (row === undefined || row.open !== 1) return null;
  const policy = JSON.parse(row.policy) as TopicPolicy;
  const cleaned = row.cleaned === null ? NOT_CLEANED : (JSON.parse(row.cleaned) as Cleaned);
  return { ...row, policy, forgottenMs: row.forgottenMs ?? -Infinity, cleaned };
}

/** Of the last topic that was opened or closed here; -1: there was none. */
export function storedGeneration(sql: SqlStorage): number {
  const row = sql.exec<{ generation: number }>('SELECT generation FROM meta').toArray()[0];
  return row?.generation ?? -1;
}

export function storeOpened(sql: SqlStorage, spec: PartitionSpec): void {
  sql.exec(
    `INSERT OR REPLACE INTO meta VALUES (0, 1, ?, ?, ?, ?, ?, ?, 0, 0, NULL, 0, NULL)`,
    spec.tenant,
    spec.at.topic,
    spec.at.partition,
    spec.incarnation,
    spec.generation,
    JSON.stringify(spec.policy),
  );
}

export function storeClosed(sql: SqlStorage, generation: number): void {
  sql.exec(
    `INSERT OR REPLACE INTO meta VALUES (0, 0, '', '', 0, '', ?, '', 0, 0, NULL, 0, NULL)`,
    generation,
  );
}

/**
 * Keeps the records under another incarnation. Nobody has read further than the partition ends now, unless it was put back before: offsets
 * up to here are good, those beyond are of records that are gone.
 * @returns false, and changes nothing, where the records are of another topic that had the name
 */
export function goesOn(sql: SqlStorage, before: PartitionMeta, spec: PartitionSpec): boolean {
  if (originOf(before.incarnation) !== originOf(spec.incarnation)) return false;
  const { previous = before.incarnation, isFound = false } = spec.restored ?? {};
  const end = isFound ? null : before.next;
  // What has been read under `previous` was read after this state, of which it is a continuation.
  for (const incarnation of new Set([before.incarnation, previous]))
    sql.exec('INSERT OR REPLACE INTO earlier VALUES (?, ?)', incarnation, end);
  // Who announces it says that nothing has come since: so it was found out before it was announced.
  if (!isFound) sql.exec('UPDATE earlier SET end = ? WHERE end IS NULL', end);
  sql.exec('UPDATE meta SET incarnation = ?, generation = ?', spec.incarnation, spec.generation);
  return true;
}

/** Up to where offsets of an earlier incarnation are those of the present one; null: none is known to be. */
export function earlierEnd(sql: SqlStorage, incarnation: string): number | null {
  const rows = sql.exec<{ end: number | null }>(
    'SELECT end FROM earlier WHERE incarnation = ?',
    incarnation,
  );
  return rows.toArray()[0]?.end ?? null;
}

/** Bounds as every reply carries them. */
export function boundsOf(meta: PartitionMeta): Bounds {
  return { start: meta.start, highWatermark: meta.next, incarnation: meta.incarnation };
}
