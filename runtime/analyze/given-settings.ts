// What properties that the session gives say to the analysis, fetched when there are some; knows no statement.

import { type Position, StatementError } from '../base/errors.ts';
import { COMMIT_INTERVAL_MS_MAX } from '../base/limits.ts';
import type { FormatDefaults } from '../catalog/formats.ts';
import { CONTROL } from './parts.ts';
import { unsupportedSetting } from './words.ts';

// What goes with it comes with it.
export * from '../catalog/all-properties.ts';

/** The property that lets stream time follow the wall clock when no input comes, in ms. */
const IDLE = 'millrace.idle.timeout.ms';
const START = 'auto.offset.reset';
/** Where a cache is asked for, under its old name and its newer one. */
const CACHES = ['cache.max.bytes.buffering', 'statestore.cache.max.bytes'];
/** ksqlDB's default. */
const COMMIT_INTERVAL_MS = '2000';

type Properties = ReadonlyMap<string, string>;

/** Properties of ksqlDB that change what a query gives, and the value whose meaning is built in. */
const BUILT_IN: readonly (readonly [property: string, value: string])[] = [
  ['ksql.functions.substring.legacy.args', 'false'],
];

/**
 * Refuses a query under a property that asks for other results than it would get.
 * @throws {StatementError} UNSUPPORTED
 */
export function refuseSettings(properties: Properties, at: Position): void {
  for (const [property, value] of BUILT_IN) {
    const given = properties.get(property) ?? value;
    if (given.toLowerCase() === value) continue;
    throw unsupportedSetting(property, value, at);
  }
}

function hasCache(properties: Properties): boolean {
  return CACHES.some((name) => Number(properties.get(name)) > 0);
}

/** How long changes of an aggregation wait in a cache at most; null: there is none. How large it is says nothing more. @throws {StatementError} LIMIT */
export function cacheMsOf(properties: Properties, at: Position): number | null {
  if (!hasCache(properties)) return null;
  const given = properties.get('commit.interval.ms') ?? COMMIT_INTERVAL_MS;
  if (Number(given) <= COMMIT_INTERVAL_MS_MAX) return Number(given);
  throw new StatementError(
    'LIMIT',
    `commit.interval.ms is ${given}, and where there is a cache at most ${COMMIT_INTERVAL_MS_MAX}`,
    at,
    'What waited in the cache is worked out again when a task is opened again: make it shorter.',
  );
}

/** After how long without input stream time follows the wall clock; null: never. */
export function idleMsOf(properties: Properties): number | null {
  return Number(properties.get(IDLE)) || null;
}

/** Whether a query that asks for nothing rarer may not show every change at once. */
export function changesEmission(properties: Properties): boolean {
  return idleMsOf(properties) !== null || hasCache(properties);
}

/** Whether a stream's query may leave key columns out and put them in another order, as ksqlDB's new planner lets it. */
export function hasFreeKeys(properties: Properties): boolean {
  return properties.get('ksql.new.query.planner.enabled')?.toLowerCase() === 'true';
}

/** The formats that statements need not name. */
export function formatDefaults(properties: Properties): FormatDefaults {
  return {
    key: (properties.get('ksql.persistence.default.format.key') ?? 'KAFKA').toUpperCase(),
    value: properties.get('ksql.persistence.default.format.value')?.toUpperCase() ?? null,
    wrap: properties.get('ksql.persistence.wrap.single.values') !== 'false',
  };
}

/**
 * Properties that a call gives, under their names here.
 * @throws {StatementError} INVALID for names and values that there are not
 */
export function givenProperties(given: Readonly<Record<string, string>>): Map<string, string> {
  const entries = Object.entries(given);
  // What pages give: their names are not looked for in the list of all.
  const isPlain = entries.every(([name, value]) => name === START && value === 'earliest');
  return isPlain ? new Map(entries) : CONTROL.code.checkedProperties(entries);
}

/** Where a query starts that has no committed offsets. Push queries read what comes, persistent ones everything. */
export function startOf(
  mode: 'persistent' | 'push',
  properties: Properties,
): 'earliest' | 'latest' {
  const given = properties.get(START)?.toLowerCase();
  if (given === 'earliest' || given === 'latest') return given;
  return mode === 'push' ? 'latest' : 'earliest';
}
