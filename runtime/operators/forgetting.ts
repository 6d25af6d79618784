// Lets a kernel's keys go that have no groups any more, by moving its groups into a new one; knows no batch of columns.

import { ByteWriter } from '../base/bytes.ts';
import { LimitError } from '../base/errors.ts';
import { IDLE_ENTRIES_MAX } from '../base/limits.ts';
import { isFixed, nameWidth, SIGN_BIT } from '../data/key-columns.ts';
import { NULL } from '../data/key-writer.ts';
import type { Type } from '../data/type.ts';
import { STAT_ENTRIES, STAT_GROUPS } from '../kernel/abi.ts';
import { granted } from '../kernel/exports.ts';
import type { Kernel } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';

/**
 * A kernel with the same groups that knows no keys but theirs, when those are less than half of what is known now; else null. The ids are
 * others, and the old kernel stays as it was: what holds its ids, such as a block of changes on its way to the store, holds it too.
 *
 * A dictionary then has at most twice as many keys as there are groups (and pieces of their names), or IDLE_ENTRIES_MAX. What is moved is less than
 * what is let go, so that a key is moved once in its life, on average, or less.
 * @param kernel whose changes have been collected, and which has let closed windows go
 * @param start makes a kernel of the same program, without groups
 */
export function forgotten(kernel: Kernel, names: GroupNames, start: () => Kernel): Kernel | null {
  const entries = kernel.calls.stat(STAT_ENTRIES);
  if (entries <= IDLE_ENTRIES_MAX) return null;
  const needed = kernel.calls.stat(STAT_GROUPS) * (1 + pieceTypes(names).length);
  return entries > 2 * needed ? moved(kernel, names, start) : null;
}

/** As `forgotten`, however many keys that lets go; null: there is no room. */
export function moved(kernel: Kernel, names: GroupNames, start: () => Kernel): Kernel | null {
  try {
    const fresh = start();
    new Move(kernel, fresh, pieceTypes(names).length > 0 ? names.types : null).all();
    return fresh;
  } catch (thrown) {
    if (!(thrown instanceof LimitError)) throw thrown;
    // The old one goes on. Groups that were not moved are collected again, as they are.
    return null;
  }
}

/** Of the key columns that names hold as ids of pieces. */
function pieceTypes({ isText, types }: GroupNames): readonly Type[] {
  return isText ? [] : types.filter((type) => !isFixed(type));
}

/** Moves groups from one kernel to another of the same program. */
class Move {
  readonly #from: Kernel;
  readonly #to: Kernel;
  /** Of the key columns, where names hold ids of pieces; else null. */
  readonly #types: readonly Type[] | null;
  readonly #texts = new ByteWriter(4096);
  /** The new ids by the old ones, plus one: of groups, and of pieces, which may be called as a group is. */
  readonly #ids: Uint32Array;
  readonly #pieces: Uint32Array;

  constructor(from: Kernel, to: Kernel, types: readonly Type[] | null) {
    const entries = from.calls.stat(STAT_ENTRIES);
    this.#from = from;
    this.#to = to;
    this.#types = types;
    this.#ids = new Uint32Array(entries);
    this.#pieces = new Uint32Array(types === null ? 0 : entries);
  }

  all(): void {
    const from = this.#from;
    const to = this.#to;
    granted(from.calls.markAll());
    from.collectBlocks(({ ids, windowStart, states }) => {
      this.#learn(ids, this.#ids, (names) => {
        if (this.#types !== null) this.#renamePieces(names, this.#types);
      });
      const views = to.views.attach();
      ids.forEach((id, i) => (views.ids[i] = (this.#ids[id] as number) - 1));
      views.rowtime.set(windowStart);
      views.states.set(states);
      granted(to.calls.restore(ids.length));
    });
  }

  /** Gives the new kernel the names of ids that it has not been given yet; `change` may write to them before. */
  #learn(ids: Iterable<number>, known: Uint32Array, change: (names: Uint8Array[]) => void): void {
    const fresh = [...new Set(ids)].filter((id) => known[id] === 0);
    const names = fresh.map((id) => this.#from.keyOf(id));
    change(names);
    this.#give(names).forEach((id, i) => (known[fresh[i] as number] = id + 1));
  }

  /** Gives names to the new kernel. */
  #give(named: readonly Uint8Array[]): Uint32Array {
    const texts = this.#texts;
    const ids = new Uint32Array(named.length);
    const { rowsMax } = this.#to;
    for (let from = 0; from < named.length; from += rowsMax) {
      const part = named.slice(from, from + rowsMax);
      const offsets = new Uint32Array(part.length + 1);
      texts.truncate(0);
      part.forEach((name, i) => {
        texts.bytes(name);
        offsets[i + 1] = texts.position;
      });
      ids.set(this.#to.intern({ bytes: texts.written(), offsets }), from);
    }
    return ids;
  }

  /** Writes the new ids of pieces into names (data/key-columns.ts). */
  #renamePieces(names: readonly Uint8Array[], types: readonly Type[]): void {
    const places = names.flatMap((name) => piecesOf(name, types));
    const old = places.map((place) => (place.getUint32(0) ^ SIGN_BIT) >>> 0);
    this.#learn(old, this.#pieces, () => undefined);
    places.forEach((place, i) => {
      place.setUint32(0, ((this.#pieces[old[i] as number] as number) - 1) ^ SIGN_BIT);
    });
  }
}

/** Where the ids of pieces stand in a name. */
function piecesOf(name: Uint8Array, types: readonly Type[]): DataView[] {
  const places: DataView[] = [];
  let at = 0;
  for (const type of types) {
    const isNull = name[at] === NULL;
    if (!isNull && !isFixed(type)) {
      places.push(new DataView(name.buffer, name.byteOffset + at + 1, 4));
    }
    at += isNull ? 1 : nameWidth(type);
  }
  return places;
}
