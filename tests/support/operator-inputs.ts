// Generated columns, rows and steps for tests of operators; knows no test.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import type { Batch } from '../../runtime/data/batch.ts';
import type { Schema, SchemaColumn } from '../../runtime/data/schema.ts';
import type { Type, Value } from '../../runtime/data/type.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';
import type { FunctionRegistry } from '../../runtime/functions/registry.ts';
import type {
  AggregateCall,
  AggregateStep,
  SourceStep,
  WindowSpec,
} from '../../runtime/plan/step.ts';
import { batchesOf, type Row } from './operator-contract.ts';

export const registry: FunctionRegistry = builtinRegistry();

/** The kernel as scripts/kernel.ts built it. */
export function kernelModule(): WebAssembly.Module {
  return new WebAssembly.Module(
    readFileSync(resolve(import.meta.dirname, '../../build/kernel.wasm')),
  );
}

const WORDS = [
  '',
  'a',
  'b',
  'ab',
  'ä',
  '日本',
  'a\0b',
  '__proto__',
  'quite a long key, longer than others',
];

/** Values of a type that are close together, with the ends of its range among them. */
function valueArbitrary(type: Type): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'INTEGER':
      return fc.oneof(
        fc.integer({ min: -3, max: 3 }),
        fc.constantFrom(2_147_483_647, -2_147_483_648),
      );
    case 'BIGINT':
      return fc.oneof(
        fc.bigInt({ min: -3n, max: 3n }),
        fc.constantFrom(
          9_223_372_036_854_775_807n,
          -9_223_372_036_854_775_808n,
          9_007_199_254_740_993n,
        ),
      );
    case 'DOUBLE':
      return fc.oneof(
        fc.integer({ min: -9, max: 9 }).map((n) => n / 4),
        fc.constantFrom(0.1, -0, 0, Infinity, -Infinity, 1e300, NaN),
      );
    case 'STRING':
      return fc.constantFrom(...WORDS);
    case 'BOOLEAN':
      return fc.boolean();
    default:
      throw new Error(`no values of ${type.kind}`);
  }
}

const nullable = (of: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.option(of, { freq: 6, nil: null });

/** Rows of a stream; times go forward for the most part, and back over several windows at times. */
export function streamArbitrary(schema: Schema): fc.Arbitrary<readonly Batch[]> {
  const values = fc.tuple(...schema.columns.map(({ type }) => nullable(valueArbitrary(type))));
  const row = fc.record({
    values,
    step: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
      fc.integer({ min: -40, max: 30 }),
    ),
    valueNull: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.boolean()),
  });
  return fc.array(row, { minLength: 1, maxLength: 60 }).map((steps) => {
    let now = 20;
    const rows: Row[] = steps.map(({ values: cells, step, valueNull }) => {
      now = Math.max(0, now + step);
      const isKey = (i: number): boolean => schema.columns[i]?.role === 'key';
      const kept = valueNull ? cells.map((value, i) => (isKey(i) ? value : null)) : cells;
      return { values: kept, rowtime: now, valueNull };
    });
    return batchesOf(schema, rows);
  });
}

/** Rows of a table as its source gives them: a null value is a tombstone; keys are few and not null. */
export function tableArbitrary(schema: Schema): fc.Arbitrary<readonly Batch[]> {
  const values = fc.tuple(
    ...schema.columns.map(({ type, role }) =>
      role === 'key' ? fc.constantFrom(...WORDS.slice(0, 4)) : nullable(valueArbitrary(type)),
    ),
  );
  const row = fc.record({
    values,
    isGone: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
  });
  return fc.array(row, { minLength: 1, maxLength: 50 }).map((rows) =>
    batchesOf(
      schema,
      rows.map(({ values: cells, isGone }, i) => ({
        values: isGone
          ? cells.map((value, c) => (schema.columns[c]?.role === 'key' ? value : null))
          : cells,
        rowtime: i,
        valueNull: isGone,
      })),
    ),
  );
}

/** The source of a materialized table with that schema. */
export function sourceStep(schema: Schema): SourceStep {
  return {
    step: 'source',
    id: '1',
    source: 'T',
    kind: 'table',
    topic: 't',
    keyFormat: { format: 'KAFKA', options: [], wrap: false },
    valueFormat: { format: 'JSON', options: [], wrap: true },
    window: null,
    timestamp: null,
    headers: [],
    sourceSchema: schema,
    schema,
    materialized: true,
  };
}

/** A call of a built-in aggregate over columns of the input. */
export function callOf(
  name: string,
  input: Schema,
  ...positions: readonly number[]
): AggregateCall {
  const types = positions.map((position) => (input.columns[position] as SchemaColumn).type);
  const resolved = registry.resolve(name, types);
  if (resolved === null) throw new Error(`no ${name} of these types`);
  return {
    function: name,
    signature: resolved.signature,
    arguments: positions,
    type: resolved.type,
  };
}

/** Sessions. */
export function sessionOf(
  gapMs: number,
  graceMs: number,
  retentionMs: number = gapMs + graceMs,
): WindowSpec {
  return { type: 'SESSION', sizeMs: gapMs, advanceMs: gapMs, graceMs, retentionMs };
}

/** Tumbling or, with an advance, hopping windows. */
export function windowOf(sizeMs: number, graceMs: number, advanceMs: number = sizeMs): WindowSpec {
  const type = advanceMs === sizeMs ? 'TUMBLING' : 'HOPPING';
  return { type, sizeMs, advanceMs, graceMs, retentionMs: 1_000_000 };
}

/** Sliding windows. */
export function slidingOf(sizeMs: number, graceMs: number): WindowSpec {
  const retentionMs = 3 * sizeMs + graceMs + 1;
  return { type: 'SLIDING', sizeMs, advanceMs: sizeMs, graceMs, retentionMs };
}

const BIGINT: Type = { kind: 'BIGINT' };

/** The step on the kernel path. */
export function onKernel(step: AggregateStep): AggregateStep {
  return { ...step, run: { path: 'kernel' } };
}

/** An aggregation by the input's key columns. */
export function aggregateStep(
  input: Schema,
  calls: readonly AggregateCall[],
  options: Partial<Pick<AggregateStep, 'window' | 'old' | 'over'>> = {},
): AggregateStep {
  const window = options.window ?? null;
  const windows: SchemaColumn[] = [
    { name: 'WINDOWSTART', type: BIGINT, role: 'window' },
    { name: 'WINDOWEND', type: BIGINT, role: 'window' },
  ];
  return {
    step: 'aggregate',
    id: '3',
    input: '2',
    schema: {
      columns: [
        ...input.columns.filter(({ role }) => role === 'key'),
        ...(window === null ? [] : windows),
        ...calls.map((call, i): SchemaColumn => ({
          name: `R${i}`,
          type: call.type,
          role: 'value',
        })),
      ],
    },
    window,
    calls,
    old: options.old ?? false,
    over: options.over ?? 'stream',
    run: { path: 'row', why: 'a test' },
  };
}
