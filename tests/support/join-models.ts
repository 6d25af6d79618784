// What joins must give, as lines: plain models of joins over rows of two sides; knows no operator.

import { prettyValue } from '../../runtime/data/pretty-value.ts';
import { BIGINT, INTEGER, STRING, type Value } from '../../runtime/data/type.ts';
import type { JoinType, StreamStreamJoinStep } from '../../runtime/plan/join-step.ts';
import type { SideRow } from './join-inputs.ts';
import type { Fields } from './reference-expressions.ts';
import {
  type Change,
  type Fold,
  foreignKey,
  streamStream,
  streamTable,
  tableTable,
} from './reference-joins.ts';

/** One row put out, as `outputLines` writes it. */
export type Line = string;

function text(value: Value): string {
  if (typeof value === 'string') return prettyValue(STRING, value);
  return prettyValue(typeof value === 'bigint' ? BIGINT : INTEGER, value);
}

/** Columns of the left and of the right side, as texts; `refer` is what a left row refers by. */
function fieldsOf({ side, key, value }: SideRow): Fields | null {
  if (value === null) return null;
  if (side === 1) return { own: text(key), b: text(value[0] ?? null) };
  const [a = null, s = null] = value;
  return { a: text(a), s: text(s), refer: typeof s === 'string' ? s : null };
}

/** @param columns of the lines, behind the key */
function linesOf(
  fold: Fold,
  rows: readonly SideRow[],
  { columns, isTable }: { readonly columns: readonly string[]; readonly isTable: boolean },
): Line[] {
  const standing = new Set<Change['key']>();
  return rows.flatMap((row) =>
    fold(row.side, { key: row.key, fields: fieldsOf(row), ms: row.ms }).map(
      ({ key, fields, ms }) => {
        let op = '';
        if (isTable) op = fields === null ? '-' : standing.has(key) ? '>' : '+';
        if (fields === null) standing.delete(key);
        else standing.add(key);
        const cells = columns.map((column) => fields?.[column] ?? text(null));
        return `${op} ${[text(key), ...cells].join(' | ')} @${ms}`.trim();
      },
    ),
  );
}

const STREAM = { columns: ['a', 's', 'b'], isTable: false };
const TABLE = { columns: ['a', 's', 'b'], isTable: true };

export function streamStreamModel(step: StreamStreamJoinStep, rows: readonly SideRow[]): Line[] {
  return linesOf(streamStream(step.type, step), rows, STREAM);
}

export function streamTableModel(type: JoinType, rows: readonly SideRow[]): Line[] {
  return linesOf(streamTable(type), rows, STREAM);
}

export function tableTableModel(type: JoinType, rows: readonly SideRow[]): Line[] {
  return linesOf(tableTable(type), rows, TABLE);
}

/** A left row refers to the right one by its column S. */
export function foreignKeyModel(type: 'INNER' | 'LEFT', rows: readonly SideRow[]): Line[] {
  const fold = foreignKey(type, ({ refer }) => refer ?? null);
  return linesOf(fold, rows, { columns: ['a', 's', 'own', 'b'], isTable: true });
}
