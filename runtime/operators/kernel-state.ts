// The kernel's groups in the store: brought in on demand, changes handed over, or set aside; knows no batch of columns.

import { ByteWriter } from '../base/bytes.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Kernel, KernelBatch } from '../kernel/instance.ts';
import { PENDING_BLOCKS } from '../ports/parts.ts';
import type { BlockNames, StateBlock, StateBytes, TableId } from '../ports/store.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { OperatorContext } from './operator.ts';
import { KERNEL_KEYS, STORED_GROUPS } from './parts.ts';
import type { StoredGroups } from './stored-groups.ts';

/** Keys that are kept beside the kernel's groups, so that a group that changes again costs no new one. */
const KEYS_KEPT_MAX = 262_144;

/** Committed state, with over it the changes of kernels that were given up for want of room. */
export class KernelState {
  readonly #table: TableId;
  readonly #names: GroupNames;
  readonly #windowed: boolean;
  readonly #context: OperatorContext;
  readonly #scratch = new ByteWriter(64);
  /** Keys by window and id of one kernel, of the windows that the last commit touched. */
  #keys = new Map<number, Uint8Array[]>();
  #keysKept = 0;
  readonly #blockNames = new WeakMap<Kernel, BlockNames>();
  /** Groups in the store or set aside, while there can be any that the kernel does not have. */
  #stored: StoredGroups | null = null;

  constructor(table: TableId, context: OperatorContext, names: GroupNames, windowed: boolean) {
    this.#table = table;
    this.#names = names;
    this.#windowed = windowed;
    this.#context = context;
    // Rows that made groups moved stream time, and both were committed as one. To look for a first entry would put all in order in some stores.
    if (context.streamTime.ms > -Infinity) this.#open();
  }

  #open(): StoredGroups {
    const writeKey = (kernel: Kernel, id: number, startMs: number): ByteWriter =>
      this.#writeKey(kernel, id, startMs);
    this.#stored ??= new STORED_GROUPS.code.StoredGroups(this.#table, this.#context, writeKey);
    return this.#stored;
  }

  /** Gives the kernel the groups that a batch needs, from a row on, and that it does not have. @throws {LimitError} they do not fit */
  bring(kernel: Kernel, batch: KernelBatch, from: number): void {
    this.#stored?.bring(kernel, batch, from);
  }

  #writeKey(kernel: Kernel, id: number, startMs: number): ByteWriter {
    const scratch = this.#scratch;
    const { isText, types } = this.#names;
    const name = kernel.keyOf(id);
    scratch.truncate(0);
    if (isText) this.#names.writeKey(scratch, name);
    else KERNEL_KEYS.code.writeNamedKey(scratch, name, types, (piece) => kernel.keyOf(piece));
    if (this.#windowed) writeWindow(scratch, startMs, null);
    return scratch;
  }

  /** Keeps what the kernel changed, before it is given up. */
  setAside(kernel: Kernel): void {
    this.#open().setAside(kernel);
  }

  /** The kernel is another one from now on: ids die with theirs. */
  turn(): void {
    this.#keys.clear();
  }

  /** One object a kernel, because its ids die with it. */
  #namesOf(kernel: Kernel): BlockNames {
    let names = this.#blockNames.get(kernel);
    if (names === undefined) {
      names = { key: (id, startMs) => this.#writeKey(kernel, id, startMs).finish() };
      this.#blockNames.set(kernel, names);
    }
    return names;
  }

  /**
   * Hands over every group that changed since the last call, each once.
   * @param closedMs as in StateBlock
   */
  changes(
    kernel: Kernel,
    into: (change: StateBytes) => void,
    intoBlock: ((block: StateBlock) => void) | null,
    closedMs: number,
  ): void {
    if (this.#stored !== null) {
      if (this.#stored.changes(kernel, into)) this.#stored = null;
      return;
    }
    const table = this.#table;
    if (intoBlock !== null) {
      const names = this.#namesOf(kernel);
      const valueBytes = kernel.stateBytes;
      kernel.collectBlocks(({ ids, windowStart: starts, states: values }) => {
        const block = { table, names, ids, starts, values, valueBytes, closedMs };
        // Whoever takes a block needs the part too; a commit without one, as that which settles where a query begins, does not.
        intoBlock(PENDING_BLOCKS.code.copied(block));
      });
      return;
    }
    const before = this.#keysKept > KEYS_KEPT_MAX ? new Map<number, Uint8Array[]>() : this.#keys;
    const touched = new Map<number, Uint8Array[]>();
    let startMs = NaN;
    let keys: Uint8Array[] = [];
    if (before !== this.#keys) this.#keysKept = 0;
    kernel.collectChanges(({ id, windowStart, state }) => {
      if (windowStart !== startMs) {
        startMs = windowStart;
        keys = touched.get(startMs) ?? before.get(startMs) ?? [];
        touched.set(startMs, keys);
      }
      let key = keys[id];
      if (key === undefined) {
        keys[id] = key = this.#writeKey(kernel, id, windowStart).finish();
        this.#keysKept++;
      }
      into({ table, key, value: state });
    });
    this.#keys = touched;
  }
}
