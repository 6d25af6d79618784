// What properties that the session gives say to the analysis, fetched when there are some; knows no statement.

import type { Position } from '../base/errors.ts';
import type { FormatDefaults } from '../catalog/formats.ts';
import { unsupportedSetting } from './words.ts';

type Properties = ReadonlyMap<string, string>;

/** Properties of ksqlDB that change what a query gives, and the value whose meaning is built in. */
const BUILT_IN: readonly (readonly [property: string, value: string])[] = [
  ['ksql.functions.substring.legacy.args', 'false'],
  // Coalescing is asked for in the statement, by EMIT CHANGES EVERY.
  ['cache.max.bytes.buffering', '0'],
  ['statestore.cache.max.bytes', '0'],
];

/**
 * Refuses a query under a property that asks for other results than it would get.
 * @throws {StatementError} UNSUPPORTED
 */
export function refuseSettings(properties: Properties, at: Position): void {
  for (const [property, value] of BUILT_IN) {
    const given = properties.get(property) ?? properties.get(`ksql.streams.${property}`) ?? value;
    if (given.toLowerCase() === value) continue;
    throw unsupportedSetting(property, value, at);
  }
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

/** Where a query starts that has no committed offsets. Push queries read what comes, persistent ones everything. */
export function startOf(
  mode: 'persistent' | 'push',
  properties: Properties,
): 'earliest' | 'latest' {
  const given = properties.get('auto.offset.reset')?.toLowerCase();
  if (given === 'earliest' || given === 'latest') return given;
  return mode === 'push' ? 'latest' : 'earliest';
}
