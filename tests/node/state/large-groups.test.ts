// Groups whose states or keys are large: what stays in memory after a commit is bounded by bytes, and the rest is read again.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { GROUPS_BYTES_MAX } from '../../../runtime/base/limits.ts';
import type { Interner } from '../../../runtime/data/interner.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { STRING } from '../../../runtime/data/type.ts';
import type { Entry, KeyRange, StateBytes } from '../../../runtime/ports/store.ts';
import type { Accumulators } from '../../../runtime/state/accumulators.ts';
import { AggregateTable } from '../../../runtime/state/aggregate-table.ts';
import { GroupNames } from '../../../runtime/state/group-names.ts';
import { SessionTable } from '../../../runtime/state/session-table.ts';
import { type SlidingWindow, SlidingTable } from '../../../runtime/state/sliding-table.ts';
import { MapState } from '../../support/operator-harness.ts';

const names = new GroupNames(prettySchema('K:STRING key | V:INTEGER'));
const KEY_BYTES = 8;
/** With its key 1 MiB, so that just so many fit. */
const STATE_BYTES = 1_048_576 - KEY_BYTES;
const FIT = GROUPS_BYTES_MAX / 1_048_576;
const GAP_MS = 10;

class CountingState extends MapState {
  reads = 0;

  override get(table: string, key: Uint8Array): Uint8Array | null {
    this.reads += 1;
    return super.get(table, key);
  }

  override scan(table: string, range: KeyRange): Iterable<Entry> {
    this.reads += 1;
    return super.scan(table, range);
  }
}

/** Groups whose state is as large as it is told to be, and what is held of it. */
class LargeGroups implements Accumulators {
  readonly states: (Uint8Array | null)[] = [];
  reserve(): void {}
  reset(slot: number): void {
    this.states[slot] = null;
  }
  load(slot: number, bytes: Uint8Array): void {
    this.states[slot] = bytes;
  }
  encode(slot: number): Uint8Array {
    return this.states[slot] as Uint8Array;
  }
  move(from: number, to: number): void {
    this.states[to] = this.states[from] as Uint8Array;
  }
  foldRowtimes(): never {
    throw new Error('no row is folded');
  }
  fold(): never {
    throw new Error('no row is folded');
  }
  get bytesHeld(): number {
    return [...new Set(this.states)].reduce((sum, state) => sum + (state?.length ?? 0), 0);
  }
}

/** What the tests ask of each of the tables. */
interface Subject {
  readonly state: CountingState;
  readonly index: () => Interner;
  /** Sets the state of a group, of so many bytes, at a time of its own. */
  readonly set: (id: number, ms: number, length: number, fill: number) => void;
  /** The first byte of that state, which is read where it is not there. */
  readonly get: (id: number, ms: number) => number | undefined;
  /** Of states in memory. */
  readonly bytesHeld: () => number;
  readonly changes: (into: (change: StateBytes) => void) => void;
}

function tumbling(): Subject {
  const state = new CountingState();
  const accumulators = new LargeGroups();
  const table = new AggregateTable({ table: 't', state, accumulators, names, windowed: true });
  return {
    state,
    index: () => table.index,
    set: (id, ms, length, fill) => {
      const slot = table.slot(table.pane(ms), id);
      accumulators.states[slot] = new Uint8Array(length).fill(fill);
      table.touch(slot);
    },
    get: (id, ms) => accumulators.states[table.slot(table.pane(ms), id)]?.[0],
    bytesHeld: () => accumulators.bytesHeld,
    changes: (into) => table.changes(into, () => false),
  };
}

function sessions(): Subject {
  const state = new CountingState();
  const accumulators = new LargeGroups();
  const table = new SessionTable({ table: 't', state, names, keyTypes: [STRING], accumulators });
  const near = (id: number, ms: number): number => table.near(id, ms, ms - GAP_MS, ms + GAP_MS);
  return {
    state,
    index: () => table.index,
    set: (id, ms, length, fill) => {
      const slot = table.put(id, near(id, ms), ms, ms, -Infinity);
      accumulators.states[slot] = new Uint8Array(length).fill(fill);
      table.folded();
    },
    get: (id, ms) => (near(id, ms) === 0 ? undefined : accumulators.states[table.slot(0)]?.[0]),
    bytesHeld: () => accumulators.bytesHeld,
    changes: (into) => table.changes(into),
  };
}

function sliding(): Subject {
  const state = new CountingState();
  const bodies = [{ cells: [STRING] }];
  const table = new SlidingTable({
    table: 't',
    state,
    names,
    keyTypes: [STRING],
    bodies,
    reachMs: 1_000_000,
  });
  // Rowtime, which cells are null, where the text is and how long it is stand before it.
  const overhead = 28;
  const textOf = ({ cells }: SlidingWindow): string => cells[0]?.[0] as string;
  const held = (): SlidingWindow[] =>
    Array.from({ length: table.index.size }, (_, id) => table.windows(id, Infinity)).flat();
  return {
    state,
    index: () => table.index,
    set: (id, ms, length, fill) => {
      const windows = table.windows(id, ms);
      let at = windows.findIndex(({ startMs }) => startMs === ms);
      if (at < 0) {
        at = windows.length;
        table.insert(id, at, { startMs: ms, rowtime: ms, cells: [[]], change: null, bytes: 0 });
      }
      const text = String.fromCharCode(fill).repeat(length - overhead);
      table.changing(id, at, false).cells[0]?.splice(0, 1, text);
    },
    get: (id, ms) => {
      const found = table.windows(id, ms).find(({ startMs }) => startMs === ms);
      return found && textOf(found).charCodeAt(0);
    },
    bytesHeld: () => held().reduce((sum, window) => sum + textOf(window).length + overhead, 0),
    changes: (into) => table.changes(into),
  };
}

const SUBJECTS: readonly (readonly [string, () => Subject])[] = [
  ['tumbling', tumbling],
  ['session', sessions],
  ['sliding', sliding],
];

function idOf({ index }: Subject, key: number | string): number {
  const bytes = encodeUtf8(String(key).padStart(KEY_BYTES, '0'));
  return index().intern(bytes, 0, bytes.length);
}

function commit({ changes, state }: Subject): void {
  changes((change) => state.apply(change));
}

test.each(SUBJECTS)(
  '%s: of groups with large states GROUPS_BYTES_MAX stay after a commit; beyond it they are read again',
  (_, make) => {
    const subject = make();
    const { state, bytesHeld } = subject;
    const set = (key: number): void => {
      subject.set(idOf(subject, key), 0, STATE_BYTES, 1 + key);
      commit(subject);
      expect(bytesHeld()).toBeLessThanOrEqual(GROUPS_BYTES_MAX);
    };
    set(0);
    const { reads } = state;
    for (let key = 1; key < FIT; key++) set(key);
    // One that changes again counts once.
    set(0);
    expect([bytesHeld(), state.reads]).toEqual([FIT * STATE_BYTES, reads]);
    set(FIT);
    expect(bytesHeld()).toBe(STATE_BYTES);
    for (const key of [FIT, 1, 0]) expect(subject.get(idOf(subject, key), 0)).toBe(1 + key);
    expect(state.reads).toBeGreaterThanOrEqual(reads + 2);
    expect(bytesHeld()).toBe(3 * STATE_BYTES);
    for (let key = 1; key < 1.5 * FIT; key++) set(key);
  },
);

test.each(SUBJECTS)('%s: what was read counts as what was committed', (_, make) => {
  const subject = make();
  for (let key = 0; key < 2 * FIT; key++) {
    subject.set(idOf(subject, key), 0, STATE_BYTES, 1);
    commit(subject);
  }
  for (let round = 0; round < 2; round++) {
    for (let key = 0; key < FIT / 2 + 1; key++) subject.get(idOf(subject, key), 0);
    subject.set(idOf(subject, 'another'), round * 1000, 100, 1);
    commit(subject);
    expect(subject.bytesHeld()).toBeLessThanOrEqual(GROUPS_BYTES_MAX);
  }
});

test.each(SUBJECTS)('%s: long keys count beside small states', (_, make) => {
  const subject = make();
  const commits = 2 * FIT;
  for (let key = 0; key < commits; key++) {
    subject.set(idOf(subject, String(key).padEnd(1_048_576)), 0, 100, 1);
    subject.changes(() => undefined);
    expect(subject.index().keyBytes).toBeLessThanOrEqual(GROUPS_BYTES_MAX);
  }
  expect(subject.index().size).toBeLessThan(commits);
});

test.each(SUBJECTS)('%s: windows of a group that is taken again go too', (_, make) => {
  const subject = make();
  const keys = 10;
  const rounds = 8;
  for (let round = 0; round < rounds; round++) {
    for (let key = 0; key < keys; key++)
      subject.set(idOf(subject, key), round * 1000, STATE_BYTES, 1 + round);
    commit(subject);
    expect(subject.bytesHeld()).toBeLessThanOrEqual(GROUPS_BYTES_MAX);
  }
  for (let round = 0; round < rounds; round++)
    expect(subject.get(idOf(subject, 3), round * 1000)).toBe(1 + round);
});
