// What joins must give, row by row from lists of all rows seen: slow and plain; knows no operator.

import { prettyValue } from '../../runtime/data/pretty-value.ts';
import { BIGINT, INTEGER, STRING, type Value } from '../../runtime/data/type.ts';
import type { JoinType, StreamStreamJoinStep } from '../../runtime/plan/join-step.ts';
import type { SideRow } from './join-inputs.ts';

const DAY_MS = 86_400_000;

/** One row put out, as `outputLines` writes it. */
export type Line = string;

function text(value: Value): string {
  if (typeof value === 'string') return prettyValue(STRING, value);
  return prettyValue(typeof value === 'bigint' ? BIGINT : INTEGER, value);
}

function line(op: string, cells: readonly Value[], ms: number): Line {
  return `${op} ${cells.map(text).join(' | ')} @${ms}`.trim();
}

const NO_LEFT: readonly Value[] = [null, null];
const NO_RIGHT: readonly Value[] = [null];

/** The row of two sides, seen from one of them. */
function beside(side: number, own: readonly Value[] | null, other: readonly Value[] | null) {
  const [left, right] = side === 0 ? [own, other] : [other, own];
  return [...(left ?? NO_LEFT), ...(right ?? NO_RIGHT)];
}

function isPadded(type: JoinType, side: number): boolean {
  return type === 'FULL' || type === (side === 0 ? 'LEFT' : 'RIGHT');
}

interface Seen {
  readonly side: number;
  readonly key: string;
  readonly value: readonly Value[];
  readonly ms: number;
  isWaiting: boolean;
}

export function streamStreamModel(step: StreamStreamJoinStep, rows: readonly SideRow[]): Line[] {
  const { type, graceMs, beforeMs, afterMs } = step;
  const lines: Line[] = [];
  const seen: Seen[] = [];
  const grace = graceMs ?? DAY_MS;
  const retention = beforeMs + afterMs + grace;
  const times = [-Infinity, -Infinity];
  const reach = (side: number) => (side === 0 ? [beforeMs, afterMs] : [afterMs, beforeMs]);
  const closes = ({ side, ms }: Seen): number => ms + (reach(side)[1] ?? 0) + grace;
  let now = -Infinity;
  for (const { side, key, value, ms } of rows) {
    if (key === null || value === null) continue;
    now = Math.max(now, ms);
    const closed = seen.filter((row) => row.isWaiting && closes(row) < now);
    closed.sort(
      (a, b) =>
        a.ms - b.ms ||
        b.side - a.side ||
        (a.key < b.key ? -1 : a.key > b.key ? 1 : seen.indexOf(a) - seen.indexOf(b)),
    );
    for (const row of closed) {
      row.isWaiting = false;
      lines.push(line('', [row.key, ...beside(row.side, row.value, null)], row.ms));
    }
    times[side] = Math.max(times[side] ?? 0, ms);
    const [before = 0, after = 0] = reach(side);
    const partners = seen
      .filter((row) => row.side !== side && row.key === key)
      .filter((row) => row.ms >= ms - before && row.ms <= ms + after)
      .filter((row) => row.ms >= (times[row.side] ?? 0) - retention)
      .sort((a, b) => a.ms - b.ms);
    for (const partner of partners) {
      partner.isWaiting = false;
      const cells = [key, ...beside(side, value, partner.value)];
      lines.push(line('', cells, Math.max(ms, partner.ms)));
    }
    const waits = partners.length === 0 && isPadded(type, side);
    const isHeldBack = graceMs !== null && ms + after >= now;
    if (waits && !isHeldBack) lines.push(line('', [key, ...beside(side, value, null)], ms));
    if (ms >= (times[side] ?? 0) - retention)
      seen.push({ side, key, value, ms, isWaiting: waits && isHeldBack });
  }
  return lines;
}

interface Kept {
  readonly value: readonly Value[];
  readonly ms: number;
}

export function streamTableModel(type: JoinType, rows: readonly SideRow[]): Line[] {
  const lines: Line[] = [];
  const table = new Map<string, Kept>();
  for (const { side, key, value, ms } of rows) {
    if (key === null) continue;
    if (side === 1) {
      if (value === null) table.delete(key);
      else table.set(key, { value, ms });
    } else if (value !== null) {
      const found = table.get(key);
      if (found !== undefined || type === 'LEFT')
        lines.push(line('', [key, ...beside(0, value, found?.value ?? null)], ms));
    }
  }
  return lines;
}

/** A result stands where a side that the join keeps has a row, or both have; what changes is put out, and what goes beside a row. */
export function tableTableModel(type: JoinType, rows: readonly SideRow[]): Line[] {
  const lines: Line[] = [];
  const tables = [new Map<string, Kept>(), new Map<string, Kept>()] as const;
  const result = (side: number, own: Kept | undefined, other: Kept | undefined) => {
    if (own === undefined && other === undefined) return null;
    if (other === undefined && !isPadded(type, side)) return null;
    if (own === undefined && !isPadded(type, 1 - side)) return null;
    return beside(side, own?.value ?? null, other?.value ?? null);
  };
  for (const { side, key, value, ms } of rows) {
    if (key === null) continue;
    const [own, others] = side === 0 ? tables : ([tables[1], tables[0]] as const);
    const before = own.get(key);
    const other = others.get(key);
    const after = value === null ? undefined : { value, ms };
    if (after === undefined) own.delete(key);
    else own.set(key, after);
    const stood = result(side, before, other);
    const stands = result(side, after, other);
    const later = Math.max(ms, other?.ms ?? ms);
    if (stands !== null) lines.push(line(stood === null ? '+' : '>', [key, ...stands], later));
    // A tombstone beside a row goes on, whether there was something or not.
    else if (stood !== null || (other !== undefined && !isPadded(type, 1 - side)))
      if (stood !== null || isPassed(type, side))
        lines.push(line('-', [key, ...NO_LEFT, ...NO_RIGHT], later));
  }
  return lines;
}

/** True when a tombstone of that side takes the result away though the other side has a row. */
function isPassed(type: JoinType, side: number): boolean {
  return type === 'INNER' || isPadded(type, side);
}

/** A left row refers to the right one by its column S. */
export function foreignKeyModel(type: 'INNER' | 'LEFT', rows: readonly SideRow[]): Line[] {
  const lines: Line[] = [];
  const lefts = new Map<string, Kept>();
  const rights = new Map<string, Kept>();
  const standing = new Set<string>();
  const gone = (key: string, ms: number): void => {
    standing.delete(key);
    lines.push(line('-', [key, null, null, null, null], ms));
  };
  const joined = (key: string, left: Kept, right: Kept | undefined, ms: number): void => {
    const own = left.value[1] ?? null;
    const cells = right === undefined ? [null, null] : [own, ...right.value];
    lines.push(line(standing.has(key) ? '>' : '+', [key, ...left.value, ...cells], ms));
    standing.add(key);
  };
  const referred = (row: Kept | undefined) => {
    const foreign = row?.value[1] ?? null;
    return typeof foreign === 'string' ? foreign : null;
  };
  for (const { side, key, value, ms } of rows) {
    if (key === null) continue;
    if (side === 1) {
      const right = value === null ? undefined : { value, ms };
      if (right === undefined) rights.delete(key);
      else rights.set(key, right);
      const keys = [...lefts.keys()].filter((own) => referred(lefts.get(own)) === key).sort();
      for (const own of keys) {
        const left = lefts.get(own) as Kept;
        if (right !== undefined || type === 'LEFT') joined(own, left, right, ms);
        else gone(own, ms);
      }
      continue;
    }
    const before = lefts.get(key);
    const oldKey = referred(before);
    if (value === null) {
      lefts.delete(key);
      const later = Math.max(ms, oldKey === null ? ms : (rights.get(oldKey)?.ms ?? ms));
      if (before !== undefined && (oldKey !== null || type === 'LEFT')) gone(key, later);
      continue;
    }
    const left = { value, ms };
    lefts.set(key, left);
    const newKey = referred(left);
    const right = newKey === null ? undefined : rights.get(newKey);
    const later = Math.max(ms, right?.ms ?? ms);
    if (right !== undefined || type === 'LEFT') joined(key, left, right, later);
    else if (oldKey !== null && newKey !== null) gone(key, ms);
    else if (oldKey !== null) gone(key, Math.max(ms, rights.get(oldKey)?.ms ?? ms));
  }
  return lines;
}
