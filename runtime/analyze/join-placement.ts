// Decides where the rows of joins meet: in how many partitions, and in which format their keys are written; knows no step.

import { assert } from '../base/assert.ts';
import type { Position } from '../base/errors.ts';
import { checkFormat } from '../catalog/formats.ts';
import type { FormatSpec } from '../formats/serde.ts';
import type { Query } from '../sql/ast.ts';
import type { AnalyzeOptions, From, FromJoin, FromSource, JoinSide } from './analysis.ts';
import * as rules from './rules/joins.ts';
import { formatDefaults } from './settings.ts';
import { sourcesOf } from './sources.ts';

/** An input of joins that share their key, and so the place where rows meet. */
interface Input {
  readonly side: JoinSide<From>;
  readonly partitions: number;
  readonly topic: string;
  readonly keyFormat: FormatSpec;
}

/**
 * The tree with its places. Joins in a row without a new key between them are one place.
 * @throws {StatementError} INVALID when topics that are joined as they are have different numbers of partitions
 */
export function placed(join: FromJoin, query: Query, options: AnalyzeOptions): FromJoin {
  const at = query.joins[sourcesCount(join) - 2]?.at ?? query.at;
  if (join.kind === 'foreignKey') return foreignKeyPlaced(join);
  const inner = placedInputs(join, query, options);
  const inputs = inputsOf(inner);
  const kept = inputs.filter(({ side }) => side.move === 'none');
  const keyFormat = kept[0]?.keyFormat ?? firstFormat(inner, options);
  const fixed = kept.filter((input) => isSame(input.keyFormat, keyFormat));
  const [first] = fixed;
  for (const other of fixed) if (first !== undefined) rules.refusePartitions(first, other, at);
  const partitions = first?.partitions ?? Math.max(...inputs.map((input) => input.partitions));
  for (const { side } of kept.filter((input) => !fixed.includes(input))) {
    if (side.from.from === 'source') {
      rules.refuseWindowedFormat(side.from.source, keyFormat.format, at);
    }
  }
  if (fixed.length < inputs.length) checkKey(join, keyFormat, options, at);
  return met(inner, { partitions, keyFormat });
}

function sourcesCount(from: From): number {
  return from.from === 'source' ? 1 : sourcesCount(from.left.from) + 1;
}

/** Subscriptions go to the right table and answers come back: the rows stay where the left table has them. */
function foreignKeyPlaced(join: FromJoin): FromJoin {
  const { from } = join.left;
  assert(from.from === 'source', 'a join by foreign key is the first');
  return { ...join, partitions: from.source.partitions, keyFormat: from.source.keyFormat };
}

/** The join with what is joined before under another key put into its own places. */
function placedInputs(join: FromJoin, query: Query, options: AnalyzeOptions): FromJoin {
  const { left } = join;
  if (left.from.from === 'source') return join;
  const isApart = left.move !== 'none' || left.from.kind === 'foreignKey';
  const from = isApart
    ? placed(left.from, query, options)
    : placedInputs(left.from, query, options);
  return { ...join, left: { ...left, from } };
}

/** What comes to the place, in the order of FROM. */
function inputsOf({ left, right }: FromJoin): Input[] {
  const { source } = right.from;
  const { topic, partitions, keyFormat } = source;
  const last = { side: right, partitions, topic, keyFormat };
  const { from } = left;
  if (isOnePlace(left)) return [...inputsOf(left.from), last];
  const first = from.from === 'source' ? from.source : { ...from, topic: sourcesOf(from)[0].topic };
  return [
    {
      side: left,
      partitions: first.partitions,
      topic: first.topic,
      keyFormat: first.keyFormat,
    },
    last,
  ];
}

/** True for what is joined before by the same key. */
function isOnePlace(left: JoinSide<From>): left is JoinSide<FromJoin> {
  return left.from.from === 'join' && left.move === 'none' && left.from.kind !== 'foreignKey';
}

/** Where all keys are new: the first key format of the sources, else the default. */
function firstFormat(join: FromJoin, options: AnalyzeOptions): FormatSpec {
  const found = sourcesOf(join).find(({ keyFormat }) => keyFormat.format !== 'NONE');
  return found?.keyFormat ?? { format: formatDefaults(options).key, options: [], wrap: false };
}

function isSame(a: FormatSpec, b: FormatSpec): boolean {
  return a.format === b.format && JSON.stringify(a.options) === JSON.stringify(b.options);
}

function checkKey(
  { row }: FromJoin,
  keyFormat: FormatSpec,
  { formats }: AnalyzeOptions,
  at: Position,
): void {
  const keys = row.columns.filter(({ role }) => role === 'key');
  checkFormat(keys, 'key', keyFormat, formats, at);
}

/** The joins of one place with what was decided for it. */
function met(
  join: FromJoin,
  place: { readonly partitions: number; readonly keyFormat: FormatSpec },
): FromJoin {
  const { left, right } = join;
  return {
    ...join,
    ...place,
    left: isOnePlace(left)
      ? { ...left, from: met(left.from, place) }
      : reformatted(left, place.keyFormat),
    right: reformatted<FromSource>(right, place.keyFormat),
  };
}

function reformatted<Input extends From>(
  side: JoinSide<Input>,
  keyFormat: FormatSpec,
): JoinSide<Input> {
  const { from } = side;
  const own = from.from === 'source' ? from.source.keyFormat : from.keyFormat;
  return side.move === 'none' && !isSame(own, keyFormat) ? { ...side, move: 'reformat' } : side;
}
