// What the session's properties and the existing topics say to the analysis; properties that are given are read by given-settings.ts. Knows no statement.

import type { Position } from '../base/errors.ts';
import type { FormatDefaults } from '../catalog/formats.ts';
import type { SourceProperties } from '../catalog/properties.ts';
import type { Relation } from '../catalog/source.ts';
import type { Query } from '../sql/ast.ts';
import type { AnalyzeOptions, Emission } from './analysis.ts';
import { GIVEN_SETTINGS, RARER, WORDS } from './parts.ts';

/** Where a query starts that has no committed offsets. Push queries read what comes, persistent ones everything. */
export function startOf(
  mode: 'persistent' | 'push',
  { properties }: AnalyzeOptions,
): 'earliest' | 'latest' {
  if (properties.size > 0) return GIVEN_SETTINGS.code.startOf(mode, properties);
  return mode === 'push' ? 'latest' : 'earliest';
}

/**
 * Refuses a query under a property that asks for other results than it would get.
 * @throws {StatementError} UNSUPPORTED
 */
export function refuseSettings({ properties }: AnalyzeOptions, at: Position): void {
  if (properties.size > 0) GIVEN_SETTINGS.code.refuseSettings(properties, at);
}

/** Whether a stream's query may leave key columns out and put them in another order, as ksqlDB's new planner lets it. */
export function hasFreeKeys({ properties }: AnalyzeOptions): boolean {
  return properties.size > 0 && GIVEN_SETTINGS.code.hasFreeKeys(properties);
}

/** The formats that statements need not name. */
export function formatDefaults({ properties }: AnalyzeOptions): FormatDefaults {
  return properties.size > 0
    ? GIVEN_SETTINGS.code.formatDefaults(properties)
    : { key: 'KAFKA', value: null, wrap: true };
}

/** How a query shows its results; null: each change at once. @throws {StatementError} */
export function emissionOf(
  query: Query,
  source: Relation,
  options: AnalyzeOptions,
): Emission | null {
  const { emit } = query;
  const isPlain = emit?.mode !== 'FINAL' && (emit?.every ?? null) === null;
  const { properties } = options;
  if (isPlain && (properties.size === 0 || !GIVEN_SETTINGS.code.changesEmission(properties)))
    return null;
  return RARER.code.emissionOf(query, source, options);
}

/**
 * The partitions of a topic, from what exists or from the statement; null when neither says.
 * @throws {StatementError} INVALID when both do and differ
 */
export function partitionsOf(
  properties: SourceProperties,
  topic: string,
  { topics, catalog }: AnalyzeOptions,
): number | null {
  const sharing = [...catalog.sources.values()].find((source) => source.topic === topic);
  const existing = topics?.get(topic)?.partitions ?? sharing?.partitions ?? null;
  const given = properties.partitions;
  if (existing !== null && given !== null && existing !== given.value) {
    throw WORDS.code.otherPartitions(topic, existing, given);
  }
  return existing ?? given?.value ?? null;
}
