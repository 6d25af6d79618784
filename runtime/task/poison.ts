// Finds the record that makes a task fail: halves what is tried, counts attempts at one record, then gives it up; fetched when one has failed. Knows no operator.

import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { messageOf, RecordError } from '../base/errors.ts';
import { ATTEMPTS_MAX } from '../base/limits.ts';
import type { StateBytes } from '../ports/store.ts';
import { HUNT_KEY, HUNT_TABLE } from './task-topics.ts';

/** Where the search stands; committed before every retry, so that it survives the failure of the process itself. */
interface Hunt {
  /** Records from the committed position to the end of what failed. */
  readonly left: number;
  /** How many of them to try at once. */
  readonly limit: number;
  /** Failed attempts at the first record alone. */
  readonly attempts: number;
  readonly error: string;
  /** True where more records than that have made too much: no more are tried at once for as long as the hunt is on. */
  readonly isHeavy?: boolean;
}

/** The search for a poisonous record. Without a failure it costs nothing. */
export class PoisonHunt {
  #hunt: Hunt | null;

  /** @param committed the search that goes on, as a commit has stored it; null: none */
  constructor(committed: Uint8Array | null) {
    this.#hunt = committed === null ? null : (JSON.parse(decodeUtf8(committed)) as Hunt);
  }

  get isActive(): boolean {
    return this.#hunt !== null;
  }

  /** How many records a turn may take. */
  get limit(): number {
    return this.#hunt?.limit ?? Infinity;
  }

  /** Not null when the first record has failed ATTEMPTS_MAX times alone: it is to be given up. */
  get verdict(): { readonly attempts: number; readonly error: string } | null {
    const hunt = this.#hunt;
    return hunt !== null && hunt.attempts >= ATTEMPTS_MAX ? hunt : null;
  }

  /** A turn that took `taken` records failed for `cause`. */
  failed(taken: number, cause: unknown): void {
    const before = this.#hunt;
    const alone = taken <= 1;
    this.#hunt = {
      left: Math.max(before?.left ?? 0, taken, 1),
      limit: Math.max(1, taken >> 1),
      attempts: alone ? (before?.attempts ?? 0) + 1 : 0,
      error: messageOf(cause),
      isHeavy: !alone && cause instanceof RecordError && cause.code === 'DEAD_LETTER',
    };
  }

  /** A turn that took `taken` records is being committed. */
  passed(taken: number): void {
    const hunt = this.#hunt;
    if (hunt === null) return;
    const left = hunt.left - taken;
    const limit = Math.min(left, hunt.isHeavy === true ? hunt.limit : hunt.limit * 2);
    this.#hunt = left <= 0 ? null : { ...hunt, left, limit, attempts: 0, error: '' };
  }

  /** The change that a commit stores. */
  change(): StateBytes {
    return {
      table: HUNT_TABLE,
      key: HUNT_KEY,
      value: this.#hunt === null ? null : encodeUtf8(JSON.stringify(this.#hunt)),
    };
  }
}
