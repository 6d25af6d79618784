// What joins give, a change at a time, from lists of all that came: plain readings of the rules; knows no query.

import type { Fields, Scalar } from './reference-expressions.ts';

export type JoinType = 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';

/** A row of a stream, or what a key of a table becomes. */
export interface Change {
  readonly key: Scalar;
  /** null: a row without a value, or the end of the table's row. */
  readonly fields: Fields | null;
  readonly ms: number;
}

/** What a change of the left (0) or the right side (1) makes. */
export type Fold = (side: number, change: Change) => readonly Change[];

/** How far two rows of streams may be from each other. */
export interface Within {
  /** How much earlier, and later, a row of the right side may be. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** null: rows that meet none are shown at once. */
  readonly graceMs: number | null;
}

/** Of a join that does not say it. */
const GRACE_MS = 86_400_000;

/** True when a row of that side stands though it meets none. */
const isKept = (type: JoinType, side: number): boolean =>
  type === 'FULL' || type === (side === 0 ? 'LEFT' : 'RIGHT');

interface Seen {
  readonly side: number;
  readonly key: Scalar;
  readonly fields: Fields;
  readonly ms: number;
  isWaiting: boolean;
}

const byKey = (a: Scalar, b: Scalar): number =>
  a === b ? 0 : (a as string) < (b as string) ? -1 : 1;

/** Rows that wait end in the order of their times, the right side's first, and of their keys. */
function inOrder(a: Seen, b: Seen): number {
  return a.ms - b.ms || b.side - a.side || byKey(a.key, b.key);
}

/** Each row meets those of the other side and of its key that came before and are near enough. */
export function streamStream(type: JoinType, { beforeMs, afterMs, graceMs }: Within): Fold {
  const seen: Seen[] = [];
  const grace = graceMs ?? GRACE_MS;
  const retention = beforeMs + afterMs + grace;
  const times = [-Infinity, -Infinity];
  const reach = (side: number): readonly [number, number] =>
    side === 0 ? [beforeMs, afterMs] : [afterMs, beforeMs];
  return (side, { key, fields, ms }) => {
    if (key === null || fields === null) return [];
    times[side] = Math.max(times[side] ?? ms, ms);
    const now = Math.max(...times);
    const closed = seen
      .filter((row) => row.isWaiting && row.ms + reach(row.side)[1] + grace < now)
      .sort(inOrder);
    for (const row of closed) row.isWaiting = false;
    const [before, after] = reach(side);
    const partners = seen
      .filter((row) => row.side !== side && row.key === key)
      .filter((row) => row.ms >= ms - before && row.ms <= ms + after)
      .filter((row) => row.ms >= (times[row.side] ?? ms) - retention)
      .sort((a, b) => a.ms - b.ms);
    for (const partner of partners) partner.isWaiting = false;
    const isAlone = partners.length === 0 && isKept(type, side);
    const isWaiting = isAlone && graceMs !== null && ms + after >= now;
    if (ms >= (times[side] ?? ms) - retention) seen.push({ side, key, fields, ms, isWaiting });
    return [
      ...closed,
      ...partners.map((partner) => ({
        key,
        fields: { ...partner.fields, ...fields },
        ms: Math.max(ms, partner.ms),
      })),
      ...(isAlone && !isWaiting ? [{ key, fields, ms }] : []),
    ];
  };
}

/** Each row of the stream meets the row that the table has then. */
export function streamTable(type: JoinType): Fold {
  const table = new Map<Scalar, Fields | null>();
  return (side, { key, fields, ms }) => {
    if (key === null) return [];
    if (side === 1) {
      table.set(key, fields);
      return [];
    }
    const found = table.get(key) ?? null;
    if (fields === null || (found === null && type === 'INNER')) return [];
    return [{ key, fields: { ...found, ...fields }, ms }];
  };
}

interface Kept {
  readonly fields: Fields;
  readonly ms: number;
}

const keep = (table: Map<Scalar, Kept>, key: Scalar, { fields, ms }: Change): void => {
  if (fields === null) table.delete(key);
  else table.set(key, { fields, ms });
};

/** A row stands where both sides have one, or a side that is kept; its end is told where it stood, or may have beside the other side's row. */
export function tableTable(type: JoinType): Fold {
  const tables = [new Map<Scalar, Kept>(), new Map<Scalar, Kept>()] as const;
  return (side, change) => {
    const { key, ms } = change;
    if (key === null) return [];
    const own = tables[side === 0 ? 0 : 1];
    const other = tables[side === 0 ? 1 : 0].get(key);
    const stands = (row: Kept | undefined): boolean =>
      (row !== undefined && (other !== undefined || isKept(type, side))) ||
      (other !== undefined && isKept(type, 1 - side));
    const stood = stands(own.get(key));
    keep(own, key, change);
    const later = Math.max(ms, other?.ms ?? ms);
    if (stands(own.get(key)))
      return [{ key, fields: { ...other?.fields, ...change.fields }, ms: later }];
    const mayHaveStood = other !== undefined && change.fields === null;
    return stood || mayHaveStood ? [{ key, fields: null, ms: later }] : [];
  };
}

/** Rows of the left side meet the right row whose key `refer` gives; null: it refers to none. */
export function foreignKey(type: JoinType, refer: (fields: Fields) => Scalar): Fold {
  const lefts = new Map<Scalar, Kept>();
  const rights = new Map<Scalar, Kept>();
  const isLeft = type === 'LEFT';
  const referred = (row: Kept | undefined): Scalar =>
    row === undefined ? null : refer(row.fields);
  const result = (key: Scalar, left: Kept, right: Kept | undefined, ms: number): Change => ({
    key,
    fields: right === undefined && !isLeft ? null : { ...right?.fields, ...left.fields },
    ms,
  });
  return (side, change) => {
    const { key, fields, ms } = change;
    if (key === null) return [];
    if (side === 1) {
      keep(rights, key, change);
      return [...lefts]
        .filter(([, left]) => referred(left) === key)
        .sort(([a], [b]) => byKey(a, b))
        .map(([own, left]) => result(own, left, rights.get(key), ms));
    }
    const before = lefts.get(key);
    const old = referred(before);
    keep(lefts, key, change);
    const oldMs = Math.max(ms, (old === null ? undefined : rights.get(old))?.ms ?? ms);
    if (fields === null)
      return before !== undefined && (old !== null || isLeft)
        ? [{ key, fields: null, ms: oldMs }]
        : [];
    const left = { fields, ms };
    const now = referred(left);
    const right = now === null ? undefined : rights.get(now);
    if (right !== undefined || isLeft)
      return [result(key, left, right, Math.max(ms, right?.ms ?? ms))];
    // What it referred to until now ends.
    return old === null ? [] : [{ key, fields: null, ms: now === null ? oldMs : ms }];
  };
}
