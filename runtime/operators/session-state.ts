// The kernel's sessions in the store: brought in on demand, changes handed over, or set aside; knows no batch of columns.

import { ByteWriter } from '../base/bytes.ts';
import { LimitError, TaskCorrupted } from '../base/errors.ts';
import { BROUGHT_SESSIONS_MAX } from '../base/limits.ts';
import { windowRange } from '../data/key.ts';
import { PRESENT, readMs, writeEscaped, writeWindow } from '../data/key-writer.ts';
import { STATE_ROWTIME } from '../kernel/abi.ts';
import { restore } from '../kernel/groups.ts';
import type { Kernel, KernelBatch, KernelState } from '../kernel/instance.ts';
import { collectSessions, lackingSessions } from '../kernel/sessions.ts';
import type { IntoBlock, StateBytes, StatePack, StateReader, TableId } from '../ports/store.ts';
import type { GroupNames } from '../state/group-names.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { Packing } from '../state/packing.ts';
import { hasEntries } from '../state/row-table.ts';
import type { Operator } from './operator.ts';
import { KERNEL_KEYS } from './parts.ts';

/** A key ends with a session's end and start, of so many bytes each. */
const TIME_BYTES = 8;

/** Takes what changed: the key is the first `keyBytes` of `key`, the value `from .. to` of `states`; null: it is removed. */
type IntoKeys = (
  key: Uint8Array,
  keyBytes: number,
  states: Uint8Array | null,
  from?: number,
  to?: number,
) => void;

/** Committed state, with over it the changes of kernels that were given up for want of room. */
export class SessionState {
  readonly #table: TableId;
  readonly #state: StateReader;
  readonly #names: GroupNames;
  readonly #scratch = new ByteWriter(64);
  /** Changes that the store does not show yet and the kernel does not have; null: there are none. */
  #aside: OrderedTable | null = null;
  /** Some have been set aside since the last commit. */
  #isAside = false;
  /** false: what is not in the kernel is nowhere; null: not asked yet. */
  #storeHolds: boolean | null = null;

  constructor(table: TableId, state: StateReader, names: GroupNames) {
    this.#table = table;
    this.#state = state;
    this.#names = names;
  }

  /**
   * Gives the kernel the sessions that a batch needs, from a row on, and that it does not have.
   * @throws {LimitError} they do not fit, or are too many
   */
  bring(kernel: Kernel, batch: KernelBatch, from: number): void {
    const { ids, fromMs, beforeMs } = lackingSessions(kernel, batch, from);
    if (ids.length === 0) return;
    this.#storeHolds ||= hasEntries(this.#state, this.#table);
    if (!this.#storeHolds && this.#aside === null) return;
    const found: KernelState[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const before = beforeMs[i] as number;
      const key = this.#writeKey(kernel, id).finish();
      const range = windowRange(key, fromMs[i] as number, before === Infinity ? null : before - 1);
      const entries = this.#aside?.scan(range) ?? this.#state.scan(this.#table, range);
      for (const entry of entries) {
        const windowStart = startOf(entry.key, entry.value, kernel.stateBytes);
        if (found.length === BROUGHT_SESSIONS_MAX)
          throw new LimitError('BROUGHT_SESSIONS_MAX', 'a batch needs too many stored sessions');
        found.push({ id, windowStart, state: entry.value.slice() });
      }
    }
    restore(kernel, found);
  }

  /** The key of a group, good until the next call. */
  #writeKey(kernel: Kernel, id: number): ByteWriter {
    const scratch = this.#scratch;
    const { isText, types } = this.#names;
    scratch.truncate(0);
    if (isText) {
      const { calls, views } = kernel;
      const address = calls.keyAddress(id) >>> 0;
      const bytes = new Uint8Array(views.attach().memory);
      scratch.u8(PRESENT);
      writeEscaped(scratch, bytes, address, address + (calls.keyLength(id) >>> 0));
    } else {
      const name = kernel.keyOf(id);
      KERNEL_KEYS.code.writeNamedKey(scratch, name, types, (piece) => kernel.keyOf(piece));
    }
    return scratch;
  }

  /** Keeps what the kernel changed, before it is given up. */
  setAside(kernel: Kernel): void {
    this.#isAside = true;
    this.#takeAside(kernel, this.#open());
  }

  #open(): OrderedTable {
    this.#aside ??= new OrderedTable(this.#table, this.#state);
    return this.#aside;
  }

  /** The state with what was set aside, for whoever goes on with it: the kernel does not, and `changesBy` is to be called instead of `changes`. */
  reader(): StateReader {
    const aside = this.#open();
    return {
      get: (_table, key) => aside.get(key),
      scan: (_table, range) => aside.scan(range),
    };
  }

  /** Hands over what was set aside and what an operator over `reader` has changed, each once. */
  changesBy(operator: Operator, into: (change: StateBytes) => void): void {
    const aside = this.#open();
    operator.changes?.(({ key, value }) => aside.set(key, value));
    aside.changes(into);
  }

  #takeAside(kernel: Kernel, aside: OrderedTable): void {
    this.#take(kernel, (key, keyBytes, states, from, to) =>
      aside.set(key.slice(0, keyBytes), states?.slice(from, to) ?? null),
    );
  }

  /** Takes what changed off the kernel. */
  #take(kernel: Kernel, into: IntoKeys): void {
    const { stateBytes } = kernel;
    const scratch = this.#scratch;
    let last = -1;
    let prefix = 0;
    const writeKey = (id: number, startMs: number, endMs: number): void => {
      if (id !== last) prefix = this.#writeKey(kernel, id).position;
      last = id;
      scratch.truncate(prefix);
      writeWindow(scratch, startMs, endMs);
    };
    collectSessions(kernel, ({ ids, starts, states, gone }) => {
      for (let i = 0; i < gone.ids.length; i++) {
        writeKey(gone.ids[i] as number, gone.starts[i] as number, gone.ends[i] as number);
        into(scratch.buffer, scratch.position, null);
      }
      const view = new DataView(states.buffer, states.byteOffset, states.length);
      for (let i = 0; i < ids.length; i++) {
        const from = i * stateBytes;
        const endMs = view.getFloat64(from + STATE_ROWTIME, true);
        writeKey(ids[i] as number, starts[i] as number, endMs);
        into(scratch.buffer, scratch.position, states, from, from + stateBytes);
      }
    });
  }

  /**
   * Hands over every session that changed since the last call, and those that are no more, each once.
   * @param isOver as in StatePack
   */
  changes(
    kernel: Kernel,
    into: (change: StateBytes) => void,
    intoBlock: IntoBlock | null,
    isOver: StatePack['isOver'],
  ): void {
    const aside = this.#aside;
    if (aside !== null) {
      // Both go through one table, so that each key comes once.
      this.#takeAside(kernel, aside);
      aside.changes(into);
      // What the commit before took the store shows by now, and what this one takes the kernel has.
      if (!this.#isAside) this.#aside = null;
      this.#isAside = false;
      return;
    }
    const packing = new Packing(this.#table, into, intoBlock, isOver);
    this.#take(kernel, (...change) => packing.set(...change));
    packing.end();
  }
}

/** The start of a stored session. @throws {TaskCorrupted} its key and its state do not say the same */
function startOf(key: Uint8Array, state: Uint8Array, stateBytes: number): number {
  const times = new DataView(key.buffer, key.byteOffset + key.length - 2 * TIME_BYTES);
  const endMs = readMs(times);
  if (state.length !== stateBytes)
    throw new TaskCorrupted(`a state value has ${state.length} bytes where ${stateBytes} are due`);
  const rowtime = new DataView(state.buffer, state.byteOffset, state.length);
  if (rowtime.getFloat64(STATE_ROWTIME, true) !== endMs)
    throw new TaskCorrupted('a stored session does not end with its last row');
  return readMs(times, TIME_BYTES);
}
