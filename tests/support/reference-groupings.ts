// Streams grouped, over windows of every kind, beside a recount of all rows of each group; knows no engine.

import fc from 'fast-check';
import { type Aggregate, aggregates, type Judgement, judgement } from './reference-aggregates.ts';
import {
  comparisonOperators,
  expressions,
  type Node,
  type Scalar,
} from './reference-expressions.ts';
import {
  clause,
  type From,
  type Given,
  type Made,
  passing,
  type Query,
  type Row,
  valueOf,
} from './reference-rows.ts';
import { type Session, sessionsWith } from './reference-sessions.ts';
import { startsOf } from './sliding-recount.ts';

interface Window {
  readonly sql: string;
  readonly kind: 'TUMBLING' | 'HOPPING' | 'SLIDING' | 'SESSION';
  /** Of sessions: the gap. */
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
}

const windows: fc.Arbitrary<Window> = fc
  .record({
    kind: fc.constantFrom('TUMBLING', 'HOPPING', 'SLIDING', 'SESSION', 'SESSION'),
    sizeMs: fc.constantFrom(7, 10),
    gapMs: fc.constantFrom(1, 3, 6),
    advanceMs: fc.constantFrom(3, 5),
    graceMs: fc.constantFrom(0, 5, 1000),
  })
  .map(({ kind, gapMs, graceMs, ...times }) => {
    const sizeMs = kind === 'SESSION' ? gapMs : times.sizeMs;
    const advanceMs = kind === 'HOPPING' ? times.advanceMs : sizeMs;
    const advance = kind === 'HOPPING' ? `, ADVANCE BY ${advanceMs} MILLISECONDS` : '';
    const size = kind === 'SESSION' ? '' : 'SIZE ';
    return {
      sql: ` WINDOW ${kind} (${size}${sizeMs} MILLISECONDS${advance}, GRACE PERIOD ${graceMs} MILLISECONDS)`,
      kind,
      sizeMs,
      advanceMs,
      graceMs,
    };
  });

export interface Grouping {
  readonly from: From;
  /** Not more than one: the key is the value. */
  readonly by: readonly Node[];
  readonly where: Node | null;
  readonly window: Window | null;
  readonly calls: readonly Aggregate[];
  readonly having: Judgement | null;
  readonly isFinal: boolean;
}

/** A group, of one window where there are windows, with its rows. */
interface Group extends Session {
  readonly key: Made['key'];
}

export function column(name: string): Node {
  return { kind: 'STRING', sql: name, run: (fields) => fields[name] ?? null };
}

/** What rows are grouped by: columns, expressions, or two of them. */
function keys(from: From): fc.Arbitrary<readonly Node[]> {
  const columns = fc.constantFrom(column(from.key), column('t'));
  const numbers = fc.oneof(
    fc.constantFrom<Node>({ ...column('i'), kind: 'INT' }, { ...column('l'), kind: 'BIGINT' }),
    expressions('INT', from.columns, 1),
  );
  return fc.oneof(
    { weight: 4, arbitrary: columns.map((one) => [one]) },
    numbers.map((one) => [one]),
    fc.tuple(columns, numbers).filter(([one, other]) => one.sql !== other.sql),
  );
}

export function groupings(from: From): fc.Arbitrary<Query> {
  const { columns } = from;
  return fc
    .record({
      from: fc.constant(from),
      by: keys(from),
      where: fc.option(expressions('BOOLEAN', columns, 2), { freq: 1 }),
      window: fc.option(windows, { freq: 3 }),
      calls: fc.array(aggregates(columns), { minLength: 1, maxLength: 3 }),
      having: fc.option(
        fc.tuple(
          aggregates(columns).filter(({ isNumber }) => isNumber),
          comparisonOperators,
          fc.integer({ min: 0, max: 3 }),
        ),
        { freq: 1 },
      ),
      isFinal: fc.boolean(),
    })
    .map(({ having, isFinal, ...rest }) => {
      const judged = having === null ? null : judgement(...having);
      // Final rows of one window come in the order of their keys' bytes, which is that of texts.
      const mayBeFinal = rest.window !== null && rest.by.every(({ kind }) => kind === 'STRING');
      const grouping = { ...rest, having: judged, isFinal: isFinal && mayBeFinal };
      return { sql: groupingSql(grouping), run: (given) => grouped(grouping, given) };
    });
}

export function groupingSql({ from, by, where, window, calls, having, isFinal }: Grouping): string {
  const list = [
    ...by.map(({ sql }, index) => `${sql} AS g${index}`),
    ...calls.map(({ sql }, index) => `${sql} AS c${index}`),
  ].join(', ');
  const keyFormat = by.length > 1 ? " WITH (KEY_FORMAT='JSON')" : '';
  const tail = `${having?.sql ?? ''}${isFinal ? ' EMIT FINAL' : ''}`;
  return `CREATE TABLE t${keyFormat} AS SELECT ${list} FROM ${from.sql}${window?.sql ?? ''}${clause('WHERE', where)} GROUP BY ${by.map(({ sql }) => sql).join(', ')}${tail};`;
}

/** Null where the row is in no group. */
export function keyOf(by: readonly Node[], row: Row): Made['key'] {
  const values = by.map((one) => valueOf(one, row.fields));
  if (values.includes(null)) return null;
  const [first = null] = values;
  if (values.length === 1) return first;
  return Object.fromEntries(values.map((value, index): [string, Scalar] => [`G${index}`, value]));
}

function grouped(grouping: Grouping, given: readonly Given[]): readonly Made[] {
  const { from, by, where, window, having, isFinal } = grouping;
  const made: Made[] = [];
  const rows = new Map<string, Row[]>();
  const groups = new Map<string, Group>();
  const shown = new Set<string>();
  let now = -Infinity;
  const show = (name: string, group: Group, isGone: boolean): void => {
    if (isGone || (having !== null && !having.holds(group.rows))) {
      if (shown.delete(name)) made.push(result(grouping, group, true));
      return;
    }
    if (!isFinal) shown.add(name);
    made.push(result(grouping, group, false));
  };
  for (const row of passing(from.rows(given), where)) {
    const key = row.isEmpty ? null : keyOf(by, row);
    if (key === null) continue;
    now = Math.max(now, row.ms);
    const text = JSON.stringify(key);
    const own = rows.get(text) ?? [];
    rows.set(text, own);
    const standing = [...groups.values()].filter((group) => JSON.stringify(group.key) === text);
    const { gone, changed } = changesBy(window, row, now, { own, standing });
    const nameOf = ({ startMs, endMs }: Session): string => `${text} ${startMs} ${endMs}`;
    for (const session of gone) {
      groups.delete(nameOf(session));
      if (!isFinal) show(nameOf(session), { ...session, key }, true);
    }
    for (const session of changed) {
      groups.set(nameOf(session), { ...session, key });
      if (!isFinal) show(nameOf(session), { ...session, key }, false);
    }
    if (!isFinal) continue;
    const closing = [...groups].filter(([, { endMs }]) => isClosed(window, endMs, now));
    closing.sort(
      ([, a], [, b]) =>
        a.endMs - b.endMs ||
        a.startMs - b.startMs ||
        (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1),
    );
    for (const [name, group] of closing) {
      groups.delete(name);
      show(name, group, false);
    }
  }
  return made;
}

interface Changes {
  readonly gone: readonly Session[];
  readonly changed: readonly Session[];
}

/**
 * What a row takes away and makes of the windows of its key.
 * @param of `own`: rows of the key that were not late, to which it is added; `standing`: the windows of the key that have rows
 */
function changesBy(
  window: Window | null,
  row: Row,
  now: number,
  of: { readonly own: Row[]; readonly standing: readonly Session[] },
): Changes {
  const isOpen = ({ endMs }: Session): boolean => !isClosed(window, endMs, now);
  if (window?.kind === 'SESSION') {
    const { gone, made } = sessionsWith(of.standing.filter(isOpen), row, window.sizeMs);
    return isOpen(made) ? { gone, changed: [made] } : { gone: [], changed: [] };
  }
  // No window that holds a row begins behind it.
  if (window !== null && isClosed(window, row.ms + window.sizeMs, now))
    return { gone: [], changed: [] };
  of.own.push(row);
  const changed = startsIn(
    window,
    of.own.map(({ ms }) => ms),
  ).flatMap((startMs) => {
    const endMs = startMs + (window?.sizeMs ?? 0);
    const held = of.own.filter(({ ms }) => isHeld(window, startMs, ms));
    const before = of.standing.find((one) => one.startMs === startMs)?.rows.length;
    const session = { startMs, endMs, rows: held };
    return held.length === before || !isOpen(session) ? [] : [session];
  });
  return { gone: [], changed };
}

/** Starts of the windows that the last of the times is in or makes, and maybe others, in order. */
function startsIn(window: Window | null, times: readonly number[]): readonly number[] {
  if (window === null) return [0];
  if (window.kind === 'SLIDING') return startsOf(window.sizeMs, times);
  const ms = times.at(-1) ?? 0;
  const starts: number[] = [];
  for (let start = 0; start <= ms; start += window.advanceMs)
    if (start + window.sizeMs > ms) starts.push(start);
  return starts;
}

/** Ends of sliding windows and sessions are inclusive. */
function isClosed(window: Window | null, endMs: number, now: number): boolean {
  if (window === null) return false;
  const left = endMs - (now - window.graceMs);
  if (window.kind === 'SESSION') return left + window.sizeMs < 0;
  return window.kind === 'SLIDING' ? left < 0 : left <= 0;
}

function isHeld(window: Window | null, startMs: number, ms: number): boolean {
  if (window === null) return true;
  const past = ms - (startMs + window.sizeMs);
  return ms >= startMs && (window.kind === 'SLIDING' ? past <= 0 : past < 0);
}

function result(
  { window, calls }: Grouping,
  { key, startMs, endMs, rows }: Group,
  isGone: boolean,
): Made {
  const value = Object.fromEntries(calls.map((call, index) => [`C${index}`, call.of(rows)]));
  const timestamp = Math.max(...rows.map(({ ms }) => ms));
  const made = { topic: 'T' as const, key, value: isGone ? null : value, timestamp };
  if (window === null) return made;
  const type = window.kind === 'SESSION' ? 'session' : 'time';
  return { ...made, window: { start: startMs, end: endMs, type } };
}
