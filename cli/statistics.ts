// The counts of a run: as JSON for programs, and what a person should know; knows no file.

import type { Engine, EngineStats } from '../runtime/engine/engine.ts';
import type { Fed } from './feed.ts';

/**
 * `{"topics": {"<topic>": {"in"}}, "queries": {"<id>": {"late", "out"}}}`; `skipped` lines of a topic, and rows that a query `dropped` or
 * that were `errors`, are named where there were any.
 */
export function statsText(stats: EngineStats, fed: ReadonlyMap<string, Fed>): string {
  const topics = [...fed].map(
    ([name, counts]) => [name, { in: counts.in, ...some({ skipped: counts.skipped }) }] as const,
  );
  const queries = Object.entries(stats.queries).map(
    ([id, { late, out, dropped, errors }]) =>
      [id, { late, out, ...some({ dropped, errors }) }] as const,
  );
  return `{"topics":${objectText(topics)},"queries":${objectText(queries)}}\n`;
}

function some(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Names are the user's: they are never members of an object of ours. */
function objectText(members: readonly (readonly [string, unknown])[]): string {
  const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${texts.join(',')}}`;
}

/** Says what was skipped and which queries failed. @returns true when none did */
export function report(
  engine: Engine,
  stats: EngineStats,
  fed: ReadonlyMap<string, Fed>,
  problem: (message: string) => void,
): boolean {
  for (const [topic, { skipped }] of fed) {
    if (skipped > 0) problem(`millrace: ${counted(skipped, 'line')} for ${topic} skipped`);
  }
  let isWell = true;
  for (const [id, { errors }] of Object.entries(stats.queries)) {
    if (errors > 0) {
      problem(`millrace: ${id} skipped ${counted(errors, 'record')} or expression`);
    }
    const error = engine.errorOf(id);
    if (error === null) continue;
    isWell = false;
    problem(`millrace: ${id} ended: ${error.message}`);
  }
  return isWell;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
