// Which entries of the state of a windowed aggregation are beyond their retention, by their keys; knows no row.

import { readMs } from '../data/key-writer.ts';
import type { WindowSpec } from '../plan/step.ts';
import type { Over } from '../state/packing.ts';
import type { OperatorContext } from './operator.ts';

/** A state key ends with windowStart; before it stands a session's end. */
export function isOver({ type, retentionMs }: WindowSpec, key: Uint8Array, ms: number): boolean {
  const isSession = type === 'SESSION';
  const view = new DataView(key.buffer, key.byteOffset + key.length - (isSession ? 16 : 8), 8);
  const boundMs = readMs(view);
  return isSession ? boundMs + retentionMs < ms : boundMs + retentionMs <= ms;
}

/** For the changes of a commit: what nobody asks for any more, where nobody but the task reads its state. */
export function isOverNow(
  window: WindowSpec | null,
  { isPrivate, streamTime: { ms } }: OperatorContext,
): Over | null {
  if (window === null || isPrivate !== true || window.expires !== true) return null;
  return { ms: ms - window.retentionMs, isOver: (key) => isOver(window, key, ms) };
}
