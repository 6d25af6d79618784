// Analyzes rarer windows and ways to emit: HOPPING, SESSION, SLIDING, RETENTION, WINDOW_TYPE, EMIT FINAL, EMIT CHANGES EVERY, the idle time-out; knows no plan.

import { type Position, StatementError } from '../base/errors.ts';
import { CACHE_BLOCK_OFFSETS_MAX, WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import type { SourceProperties } from '../catalog/properties.ts';
import type { KeyWindow, Relation } from '../catalog/source.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Duration, durationMs, type Emit, type Query, type Window } from '../sql/ast.ts';
import { DEFAULT_OPEN_MS } from './aggregation.ts';
import type { AggregationWindow, AnalyzeOptions, Cache, Emission } from './analysis.ts';
import { GIVEN_SETTINGS } from './parts.ts';

/** The window with its defaults. @throws {StatementError} INVALID for spans that do not fit each other; LIMIT */
export function analyzedWindow(window: Window): AggregationWindow {
  switch (window.kind) {
    case 'Tumbling': {
      const sizeMs = span(window.size, 'SIZE of a window');
      return { type: 'TUMBLING', sizeMs, advanceMs: sizeMs, ...bounds(window, sizeMs) };
    }
    case 'Hopping': {
      const sizeMs = span(window.size, 'SIZE of a window');
      const advanceMs = span(window.advance, 'ADVANCE BY');
      refuseAdvance(sizeMs, advanceMs, window.advance.at);
      return { type: 'HOPPING', sizeMs, advanceMs, ...bounds(window, sizeMs) };
    }
    case 'Session': {
      const sizeMs = span(window.gap, 'the gap of a session');
      return { type: 'SESSION', sizeMs, advanceMs: sizeMs, ...bounds(window, sizeMs) };
    }
    case 'Sliding':
      return slidingWindow(window, span(window.size, 'SIZE of a window'));
  }
}

/** Windows that are still open are made from others that have closed: those stay until no row can ask for them. */
function slidingWindow(window: Window, sizeMs: number): AggregationWindow {
  const given = bounds(window, sizeMs);
  const retentionMs = Math.max(given.retentionMs, 3 * sizeMs + given.graceMs + 1);
  return { type: 'SLIDING', sizeMs, advanceMs: sizeMs, ...given, retentionMs };
}

function span(of: Duration, what: string): number {
  const ms = durationMs(of);
  if (ms > 0) return ms;
  throw new StatementError('INVALID', `${what} is 0`, of.at, 'It is longer than 0.');
}

function refuseAdvance(sizeMs: number, advanceMs: number, at: Position): void {
  if (advanceMs > sizeMs) {
    throw new StatementError(
      'INVALID',
      'ADVANCE BY is longer than SIZE',
      at,
      'Rows between two windows would be lost: make it at most SIZE.',
    );
  }
  const windows = Math.ceil(sizeMs / advanceMs);
  if (windows <= WINDOWS_PER_ROW_MAX) return;
  throw new StatementError(
    'LIMIT',
    `each row would be in ${windows} windows, more than ${WINDOWS_PER_ROW_MAX}`,
    at,
    'Make ADVANCE BY longer, or SIZE shorter.',
  );
}

/** Grace and retention. Without GRACE PERIOD a retention may be shorter than the default grace, which then outlasts it. */
function bounds(
  window: Window,
  sizeMs: number,
): Pick<AggregationWindow, 'graceMs' | 'retentionMs' | 'expires'> {
  const { grace, retention } = window;
  const graceMs = grace === null ? Math.max(0, DEFAULT_OPEN_MS - sizeMs) : durationMs(grace);
  const neededMs = sizeMs + graceMs;
  if (retention === null) return { graceMs, retentionMs: neededMs };
  const retentionMs = durationMs(retention);
  if (retentionMs < (grace === null ? sizeMs : neededMs)) {
    throw new StatementError(
      'INVALID',
      'RETENTION is shorter than the window stays open',
      retention.at,
      `It is at least ${window.kind === 'Session' ? 'the gap' : 'SIZE'} and GRACE PERIOD together.`,
    );
  }
  return { graceMs, retentionMs: Math.max(retentionMs, neededMs), expires: true };
}

/** How results are shown. @throws {StatementError} INVALID where EMIT or the property does not suit the query */
export function emissionOf(query: Query, source: Relation, options: AnalyzeOptions): Emission {
  const { emit } = query;
  const { properties } = options;
  return {
    final: emit?.mode === 'FINAL' && isFinal(query, emit),
    everyMs: emit === null || emit.every === null ? null : every(query, source, emit.every),
    idleMs: properties.size === 0 ? null : GIVEN_SETTINGS.code.idleMsOf(properties),
    cache: cacheOf(options, query),
  };
}

/** Only an aggregation that shows every change has a cache. @throws {StatementError} LIMIT */
function cacheOf({ properties }: AnalyzeOptions, { groupBy, emit, at }: Query): Cache | null {
  const showsAll = emit?.mode !== 'FINAL' && (emit?.every ?? null) === null;
  if (groupBy === null || !showsAll || properties.size === 0) return null;
  const intervalMs = GIVEN_SETTINGS.code.cacheMsOf(properties, at);
  return intervalMs === null ? null : { blockOffsets: CACHE_BLOCK_OFFSETS_MAX, intervalMs };
}

/** A final result needs windows that close. */
function isFinal(query: Query, { at }: Emit): boolean {
  if (query.window !== null) return true;
  throw new StatementError(
    'INVALID',
    'EMIT FINAL without a window',
    at,
    'Only a windowed aggregation has a final result: add WINDOW, or write EMIT CHANGES.',
  );
}

/** Only rows that replace each other can be left out. */
function every(query: Query, source: Relation, of: Duration): number {
  if (query.groupBy !== null || source.kind === 'table') return span(of, 'EVERY');
  throw new StatementError(
    'INVALID',
    'EMIT CHANGES EVERY over a stream without GROUP BY',
    of.at,
    'Each row of a stream stands for itself; only the updates of a table replace each other.',
  );
}

/** The window that the keys of a source's topic carry. @throws {StatementError} */
export function keyWindow(
  { windowType, windowSizeMs }: SourceProperties,
  keys: readonly SchemaColumn[],
  at: Position,
): KeyWindow | null {
  if (windowType === null) {
    if (windowSizeMs === null) return null;
    throw new StatementError(
      'INVALID',
      'WINDOW_SIZE without WINDOW_TYPE',
      windowSizeMs.at,
      'Add WINDOW_TYPE.',
    );
  }
  if (keys.length === 0) {
    throw new StatementError('INVALID', 'a windowed source has a key', at, 'Add KEY to a column.');
  }
  if (windowType.value === 'SESSION') {
    if (windowSizeMs === null) return { type: 'SESSION', sizeMs: null };
    throw new StatementError(
      'SYNTAX',
      'WINDOW_SIZE of a SESSION window',
      windowSizeMs.at,
      'Sessions differ in size: leave it out.',
    );
  }
  if (windowSizeMs === null) {
    throw new StatementError(
      'INVALID',
      `a ${windowType.value} window without WINDOW_SIZE`,
      windowType.at,
      'Add WINDOW_SIZE.',
    );
  }
  return { type: windowType.value, sizeMs: windowSizeMs.value };
}
