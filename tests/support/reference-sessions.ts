// What a row makes of the sessions of its key, from all their rows; knows no query.

import type { Row } from './reference-rows.ts';

/** A window with its rows; of a session, `endMs` is the time of its last row. */
export interface Session {
  readonly startMs: number;
  readonly endMs: number;
  readonly rows: readonly Row[];
}

/**
 * The session that the row makes of those that it is near to, with their rows in the order of the sessions. Those go; a session whose bounds stay is
 * changed and does not.
 */
export function sessionsWith(
  sessions: readonly Session[],
  row: Row,
  gapMs: number,
): { readonly gone: readonly Session[]; readonly made: Session } {
  const near = sessions
    .filter(({ startMs, endMs }) => startMs <= row.ms + gapMs && endMs >= row.ms - gapMs)
    .sort((a, b) => a.startMs - b.startMs);
  const rows = [...near.flatMap((session) => session.rows), row];
  const times = rows.map(({ ms }) => ms);
  const made = { startMs: Math.min(...times), endMs: Math.max(...times), rows };
  const isSame = made.startMs === row.ms && made.endMs === row.ms;
  return { gone: isSame ? [] : near, made };
}
