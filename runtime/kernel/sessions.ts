// What a whole kernel's sessions say beside what windows do: their bounds, what is to be removed, what is not there; knows no operator and no store.

import { existing } from '../base/assert.ts';
import { BUFFER_OUT_BOUNDS, RESULT_EMITTED, RESULT_GONE, STAT_STORED_MS } from './abi.ts';
import { granted } from './exports.ts';
import { probe } from './groups.ts';
import type { Kernel, KernelBatch } from './instance.ts';

/** Sessions; times are whole ms. */
export interface SessionSpec {
  readonly gapMs: number;
  readonly graceMs: number;
  /** Not less than gap and grace together. */
  readonly retentionMs: number;
  /** Nobody asks for sessions that no row can come to any more: they are let go. */
  readonly isPrivate: boolean;
}

/**
 * Makes a kernel whose program has no windows and puts rows out one of sessions, before it is given a row.
 * @param storedMs no session that its host has stored ends later; -Infinity: there is none
 * @throws {LimitError} there is no room for what they need
 */
export function openSessions(
  { calls }: Kernel,
  { gapMs, graceMs, retentionMs, isPrivate }: SessionSpec,
  storedMs: number,
): void {
  granted(calls.openSessions(gapMs, graceMs, retentionMs, storedMs, Number(isPrivate)));
}

/** No stored session that rows may need ends later and is not in the kernel. */
export function storedMsOf({ calls }: Kernel): number {
  return calls.stat(STAT_STORED_MS);
}

/** Two columns of numbers that the kernel puts out side by side. */
function boundsOf({ calls, views, rowsMax }: Kernel): Record<'first' | 'second', Float64Array> {
  const { memory } = views.attach();
  const at = calls.buffer(BUFFER_OUT_BOUNDS, 0) >>> 0;
  return {
    first: new Float64Array(memory, at, rowsMax),
    second: new Float64Array(memory, at + rowsMax * 8, rowsMax),
  };
}

/** The sessions of rows that were put out. */
export interface SessionRows {
  readonly starts: BigInt64Array;
  /** Inclusive. */
  readonly ends: BigInt64Array;
  /** Some of the rows are tombstones, whose results mean nothing. */
  readonly hasGone: boolean;
}

/** The sessions of the `rows` rows that the last `process` put out, as copies. Only before any other call. */
export function sessionRows(kernel: Kernel, rows: number): SessionRows {
  const { first, second } = boundsOf(kernel);
  const gone = kernel.views.attach().result[RESULT_GONE >> 2];
  const copied = ({ buffer, byteOffset }: Float64Array): BigInt64Array =>
    new BigInt64Array(buffer, byteOffset, rows).slice();
  return {
    starts: copied(first),
    ends: copied(second),
    hasGone: gone !== 0,
  };
}

/** Sessions as parallel arrays: views, good until the next call. */
export interface SessionChanges {
  readonly ids: Uint32Array;
  readonly starts: Float64Array;
  /** The kernel's `stateBytes` of each one after the other; the rowtime of each is its end. */
  readonly states: Uint8Array;
  /** What the host has stored and is to remove. */
  readonly gone: {
    readonly ids: Uint32Array;
    readonly starts: Float64Array;
    readonly ends: Float64Array;
  };
}

/** Hands over every session that changed since the last call, once, and those that are no more. */
export function collectSessions(kernel: Kernel, into: (changes: SessionChanges) => void): void {
  for (;;) {
    granted(kernel.calls.collect());
    const { result, outId, outWindow, outLate, states } = kernel.views.attach();
    const count = existing(result[RESULT_EMITTED >> 2], 'count');
    const gone = existing(result[RESULT_GONE >> 2], 'count');
    if (count === 0 && gone === 0) return;
    const { first, second } = boundsOf(kernel);
    into({
      ids: outId.subarray(0, count),
      starts: outWindow.subarray(0, count),
      states: states.subarray(0, count * kernel.stateBytes),
      gone: {
        ids: outLate.subarray(0, gone),
        starts: first.subarray(0, gone),
        ends: second.subarray(0, gone),
      },
    });
  }
}

/** Stored sessions that a kernel does not have and may need: of each id those that end from `fromMs` on and before `beforeMs`. */
export interface LackingSessions {
  readonly ids: Uint32Array;
  readonly fromMs: Float64Array;
  /** Infinity: all. */
  readonly beforeMs: Float64Array;
}

/** What a `process` of the same batch from the same row needs; the host is to `restore` what it has of it, before that. @throws {LimitError} there is no room for the groups */
export function lackingSessions(kernel: Kernel, batch: KernelBatch, from: number): LackingSessions {
  const { ids, windowStart: fromMs } = probe(kernel, batch, from);
  return { ids, fromMs, beforeMs: boundsOf(kernel).first.slice(0, ids.length) };
}
