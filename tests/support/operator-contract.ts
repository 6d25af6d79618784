// The contract of operators as a suite: cuts, restarts, other paths and the balance of changelogs; knows no operator.

import process from 'node:process';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../runtime/base/limits.ts';
import { type Batch, Op, positionOf, slice } from '../../runtime/data/batch.ts';
import { BatchBuilder } from '../../runtime/data/batch-builder.ts';
import { concat, opAt, rowValues } from '../../runtime/data/batches.ts';
import { format } from '../../runtime/data/pretty.ts';
import { prettyValue } from '../../runtime/data/pretty-value.ts';
import type { Schema } from '../../runtime/data/schema.ts';
import type { Value } from '../../runtime/data/type.ts';
import { type MakeOperator, OperatorRun } from './operator-harness.ts';

/** One row of generated input. */
export interface Row {
  readonly values: readonly Value[];
  readonly rowtime: number;
  readonly op?: Op | undefined;
  readonly valueNull?: boolean | undefined;
  readonly keyNull?: boolean | undefined;
}

/** Rows as batches of a schema, with origins counted from 0. */
export function batchesOf(schema: Schema, rows: readonly Row[]): Batch[] {
  const builder = new BatchBuilder(schema);
  const batches: Batch[] = [];
  const flush = (): void => {
    const batch = builder.finish();
    if (batch !== null) batches.push(batch);
  };
  rows.forEach((row, origin) => {
    if (builder.length === BATCH_ROWS_MAX) flush();
    builder.append(row.values, row.rowtime, row.op ?? null, origin);
    if (row.valueNull === true) builder.markValueNull();
    if (row.keyNull === true) builder.markKeyNull();
  });
  flush();
  return batches;
}

/** A batch and the number of the input that it goes to. */
export interface Given {
  readonly to: number;
  readonly batch: Batch;
}

function givenOf(given: Batch | Given): Given {
  return 'batch' in given ? given : { to: 0, batch: given };
}

export interface OperatorCase {
  /** The implementations, which must agree; the first is the one that others are compared with. */
  readonly paths: readonly { readonly name: string; readonly make: MakeOperator }[];
  /** The whole input, in order; a batch alone goes to input 0. */
  readonly input: fc.Arbitrary<readonly (Batch | Given)[]>;
  /** What comes out is a table's changelog; `old`: with old rows. Null: a stream. */
  readonly changelog: { readonly old: boolean } | null;
  readonly runs?: number | undefined;
  /** true: what nobody asks for any more may be in the state or not, as commits fall. */
  readonly isPrivate?: boolean | undefined;
}

/** What can be seen of a run. */
interface Seen {
  readonly output: string;
  readonly state: readonly string[];
  readonly counters: readonly string[];
  readonly problems: readonly string[];
  readonly streamTimeMs: number;
}

function seenOf(run: OperatorRun, isPrivate: boolean): Seen {
  run.commit();
  const result = {
    output: run.output(),
    state: isPrivate ? [] : run.state.lines(),
    counters: [...run.counters].map(([name, by]) => `${name} ${by}`).sort(),
    problems: run.problems.map((problem) => JSON.stringify(problem)).sort(),
    streamTimeMs: run.streamTimeMs,
  };
  run.close();
  return result;
}

function runWhole(make: MakeOperator, input: readonly (Batch | Given)[]): OperatorRun {
  const run = new OperatorRun(make);
  for (const { batch, to } of input.map(givenOf)) run.process(batch, to);
  return run;
}

/** Cuts a batch at some of its rows, never between an old row and its new one. `lengths` says how long pieces are. */
function cut(given: Batch | Given, lengths: readonly number[]): Given[] {
  const { batch, to: input } = givenOf(given);
  const pieces: Given[] = [];
  let from = 0;
  for (let turn = 0; from < batch.length; turn++) {
    let to = from + (lengths[turn % Math.max(1, lengths.length)] ?? batch.length);
    while (to < batch.length && opAt(batch, positionOf(batch, to - 1)) === Op.UpdateBefore) to++;
    const piece = slice(batch, from, to);
    if (piece !== null) pieces.push({ to: input, batch: piece });
    from = to;
  }
  return pieces;
}

/** Inputs that each property is tried with: more of them, `RUNS=1000`, in a run of its own. */
const RUNS = Number(process.env['RUNS'] ?? 75);

const lengthsArbitrary = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });

/** An input, and what it gives whole on a path. */
interface Tried {
  readonly batches: readonly (Batch | Given)[];
  readonly whole: (make: MakeOperator) => { readonly seen: Seen; readonly faults: string[] };
}

/** Checks an operator against the contract of runtime/operators/operator.ts. A failure prints its seed and its input. */
export function describeOperator(name: string, subject: OperatorCase): void {
  const { paths, input, changelog, isPrivate = false } = subject;
  const seen = (run: OperatorRun): Seen => seenOf(run, isPrivate);
  const [first] = paths;
  if (first === undefined) throw new Error('an operator has a path');
  const whole = (make: MakeOperator, batches: Tried['batches']) => {
    const run = runWhole(make, batches);
    const faults = changelog === null ? [] : imbalances(run.emitted, changelog.old);
    return { seen: seen(run), faults };
  };

  // All properties are tried with the same inputs, those of one seed, so that each is run whole but once a path.
  const options = { numRuns: subject.runs ?? RUNS, seed: Date.now() % 2 ** 31 };
  const known = new Map<MakeOperator, ReturnType<typeof whole>[]>(
    paths.map(({ make }) => [make, []]),
  );
  const holds = (check: (tried: Tried, lengths: number[], choices: number[]) => void): void => {
    let tries = 0;
    // Inputs that come behind a failure are those that shrink it.
    let isShrinking = false;
    const choices = fc.array(fc.nat({ max: paths.length * 2 }), { minLength: 1, maxLength: 6 });
    const property = fc.property(input, lengthsArbitrary, choices, (batches, lengths, chosen) => {
      const at = tries++;
      const all = isShrinking ? new Map<MakeOperator, ReturnType<typeof whole>[]>() : known;
      const wholeOf = (make: MakeOperator) => {
        const wholes = all.get(make) ?? [];
        return (wholes[at] ??= whole(make, batches));
      };
      isShrinking = true;
      check({ batches, whole: wholeOf }, lengths, chosen);
      isShrinking = false;
    });
    fc.assert(property, options);
  };

  describe(`the operator contract: ${name}`, () => {
    afterAll(() => known.clear());

    for (const { name: path, make } of paths) {
      test(`any cut of the input gives the same (${path})`, () => {
        holds(({ batches, whole }, lengths) => {
          const pieces = batches.flatMap((batch) => cut(batch, lengths));
          expect(seen(runWhole(make, pieces))).toEqual(whole(make).seen);
        });
      });
    }

    test('a restart at any point gives the same, whatever the paths before and after it', () => {
      holds(({ batches, whole }, lengths, choices) => {
        const run = new OperatorRun(first.make);
        const pieces = batches.flatMap((batch) => cut(batch, lengths));
        pieces.forEach((piece, i) => {
          run.process(piece.batch, piece.to);
          // Choices beyond the paths only commit, and go on with the same instance.
          const next = paths[choices[i % choices.length] ?? 0];
          if (next === undefined) run.commit();
          else run.restart(next.make);
        });
        expect(seen(run)).toEqual(whole(first.make).seen);
      });
    });

    for (const { name: path, make } of paths.slice(1)) {
      test(`${path} and ${first.name} agree to the last bit`, () => {
        holds(({ whole }) => expect(whole(make).seen).toEqual(whole(first.make).seen));
      });
    }

    for (const { make } of changelog === null ? [] : [first]) {
      test('every old row takes back what stands, every new one follows', () => {
        holds(({ whole }) => expect(whole(make).faults).toEqual([]));
      });
    }
  });
}

/** What is wrong with a changelog, row by row. */
function imbalances(batches: readonly Batch[], old: boolean): string[] {
  const table = new Map<string, string>();
  const faults: string[] = [];
  for (const batch of batches) {
    const columns = batch.schema.columns.map(({ role, type }) => ({
      isKey: role === 'key' || role === 'window',
      type,
    }));
    const text = (values: readonly Value[], key: boolean): string =>
      columns
        .flatMap(({ isKey, type }, i) =>
          isKey === key ? [prettyValue(type, values[i] ?? null)] : [],
        )
        .join(' | ');
    for (let i = 0; i < batch.length; i++) {
      const at = positionOf(batch, i);
      const values = rowValues(batch, i);
      const key = text(values, true);
      const row = text(values, false);
      const standing = table.get(key);
      const op = opAt(batch, at);
      const fault = (what: string): number => faults.push(`row ${i} of ${format(batch)}\n${what}`);
      if (op === Op.UpdateBefore) {
        if (!old) fault('an old row nobody asked for');
        if (standing !== row) fault(`takes ${row} back, but ${standing ?? 'nothing'} stands`);
        const next = i + 1 < batch.length ? opAt(batch, positionOf(batch, i + 1)) : null;
        if (next !== Op.UpdateAfter) fault('no new row follows in the batch');
      } else if (op === Op.UpdateAfter) {
        if (standing === undefined) fault('an update of a key without a row');
        const before = i > 0 ? opAt(batch, positionOf(batch, i - 1)) : null;
        if (old && before !== Op.UpdateBefore) fault('no old row stands before');
        table.set(key, row);
      } else if (op === Op.Insert) {
        if (standing !== undefined) fault('an insert of a key that has a row');
        table.set(key, row);
      } else if (op === Op.Delete) table.delete(key);
      else fault('a row without an operation');
    }
  }
  return faults;
}

/** Every emitted row as text, for tests of single cases. */
export function outputLines(run: OperatorRun): string[] {
  return concat(run.emitted).flatMap((batch) =>
    Array.from({ length: batch.length }, (_, i) => {
      const at = positionOf(batch, i);
      const values = rowValues(batch, i).map((value, column) => {
        const type = batch.schema.columns[column]?.type;
        return type === undefined ? '' : prettyValue(type, value);
      });
      const op = opAt(batch, at);
      return `${op === null ? '' : '+<>-'[op]} ${values.join(' | ')} @${batch.rowtime[at] ?? NaN}`.trim();
    }),
  );
}
