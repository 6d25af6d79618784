// The statements that the demo runs, and their text cut into pieces to colour; knows no engine.

/** What the page starts from: whatever an earlier visit left is dropped. */
export const CLEAN_UP = `DROP TABLE IF EXISTS quakes_per_hour_next DELETE TOPIC;
DROP TABLE IF EXISTS quakes_per_hour DELETE TOPIC;
DROP STREAM IF EXISTS quakes DELETE TOPIC;`;

/** Of the table that had the name before the last swap. */
export const DROP_TABLE = 'DROP TABLE quakes_per_hour_next DELETE TOPIC;';

/** Its lines are short enough for a narrow screen. */
export const CREATE_STREAM = `CREATE STREAM quakes (
  id STRING KEY, net STRING,
  type STRING, status STRING,
  mag DOUBLE, place STRING, sig INT,
  lon DOUBLE, lat DOUBLE, depth DOUBLE,
  time BIGINT, updated BIGINT
) WITH (
  KAFKA_TOPIC='quakes', PARTITIONS=1,
  VALUE_FORMAT='JSON', TIMESTAMP='time'
);`;

/** The table, with a grace period in hours. @param head its name, and what stands behind that */
export function createTable(graceHours: number, head = 'quakes_per_hour'): string {
  return `CREATE TABLE ${head} AS
  SELECT net,
    COUNT(*) AS n,
    MAX(mag) AS strongest,
    SUM(sig) AS significance
  FROM quakes
  WINDOW TUMBLING (
    SIZE 1 HOUR,
    GRACE PERIOD ${graceHours} HOURS
  )
  GROUP BY net
  EMIT CHANGES;`;
}

/**
 * Makes the table beside the one that is shown, with a topic of its own, waits until it has read the whole log, and gives it the
 * other's name.
 */
export function replaceTable(graceHours: number, topic: string): string {
  return `${createTable(graceHours, `quakes_per_hour_next WITH (KAFKA_TOPIC='${topic}')`)}
ALTER TABLE quakes_per_hour SWAP WITH quakes_per_hour_next TIMEOUT 1 MINUTE;`;
}

export const PUSH_QUERY = 'SELECT * FROM quakes_per_hour EMIT CHANGES;';

export const PULL_QUERY = 'SELECT * FROM quakes_per_hour;';

/** What a piece of SQL is to the eye. */
export type PieceKind = 'keyword' | 'type' | 'function' | 'text' | 'number' | 'plain';

export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

const KINDS: readonly (readonly [kind: PieceKind, pattern: RegExp])[] = [
  ['text', /^'[^']*'/],
  ['number', /^\d+/],
  ['type', /^(?:STRING|DOUBLE|INT|BIGINT)\b/],
  ['function', /^(?:COUNT|MAX|SUM)(?=\()/],
  [
    'keyword',
    /^(?:CREATE|STREAM|TABLE|KEY|WITH|AS|SELECT|FROM|WINDOW|TUMBLING|SIZE|HOURS?|GRACE|PERIOD|GROUP|BY|EMIT|CHANGES)\b/,
  ],
  ['plain', /^(?:\w+|\s+|.)/s],
];

/** Cuts SQL into pieces; together they are the text again. Enough for the statements above, and no lexer. */
export function pieces(sql: string): Piece[] {
  const found: Piece[] = [];
  let rest = sql;
  while (rest !== '') {
    const next = pieceAt(rest);
    const last = found.at(-1);
    if (last?.kind === 'plain' && next.kind === 'plain') {
      found[found.length - 1] = { kind: 'plain', text: last.text + next.text };
    } else {
      found.push(next);
    }
    rest = rest.slice(next.text.length);
  }
  return found;
}

function pieceAt(rest: string): Piece {
  for (const [kind, pattern] of KINDS) {
    const text = pattern.exec(rest)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return { kind: 'plain', text: rest };
}
