// Aggregates of every type beside folds over all values of a group, written from the documents, on either path: exact to the last digit, NaN and signs of zero too.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 60);
/** On a busy machine. */
const QUERY_MS_MAX = 300;

type Kind =
  | 'INT'
  | 'BIGINT'
  | 'DOUBLE'
  | 'DECIMAL'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'BOOLEAN'
  | 'STRING';
/** A whole number, or a DECIMAL in hundredths, is a bigint. */
type Value = bigint | number | string | boolean;
type Values = readonly (Value | null)[];
type Result = Value | null | readonly (Value | null)[];

const wholes = (...texts: readonly string[]): readonly Value[] => texts.map(BigInt);
const VALUES: Readonly<Record<Kind, readonly Value[]>> = {
  INT: wholes('0', '1', '-1', '2147483647', '-2147483648', '7'),
  BIGINT: wholes('0', '1', '9007199254740993', '-9223372036854775808', '9223372036854775807'),
  DOUBLE: [0, -0, 0.25, NaN, 1e300, -1e308, 1.5e308, 5e-324, Infinity, -Infinity, 0.1, 0.2, 3],
  DECIMAL: wholes('50', '-1225', '9999', '0', '1000'),
  TIMESTAMP: wholes('0', '1700000000000', '-1'),
  DATE: wholes('0', '19000', '-1'),
  TIME: wholes('0', '3600000', '86399999'),
  BOOLEAN: [true, false],
  // In the order of their UTF-16 units, which is another than that of their code points.
  STRING: ['a', 'B', '', 'ab', 'ä', '\uE000', '😀'],
};
const KINDS = Object.keys(VALUES) as Kind[];

/** As Java compares: NaN is above all else, -0.0 below 0.0. */
function compared(a: Value, b: Value): number {
  if (Object.is(a, b)) return 0;
  if (a === b) return Object.is(a, -0) ? -1 : 1;
  if (Number.isNaN(a)) return 1;
  return Number.isNaN(b) || a < b ? -1 : 1;
}

const present = (values: Values): Value[] => values.filter((value) => value !== null);
const distinct = <T>(values: readonly T[]): T[] =>
  values.filter((value, at) => values.findIndex((other) => Object.is(other, value)) === at);
const falling = (values: Values): Value[] => present(values).sort((a, b) => compared(b, a));

function sum(values: Values, kind: Kind): Value {
  const of = present(values);
  if (kind === 'DOUBLE') return (of as number[]).reduce((total, value) => total + value, 0);
  const bits = kind === 'INT' ? 32 : 64;
  return (of as bigint[]).reduce((total, value) => BigInt.asIntN(bits, total + value), 0n);
}

function average(values: Values, kind: Kind): Value {
  const { length } = present(values);
  // Of whole numbers the sum is a BIGINT.
  const total = sum(values, kind === 'INT' ? 'BIGINT' : kind);
  return length === 0 ? 0 : Number(total) / length;
}

type Fold = (values: Values, kind: Kind) => Result;
const EVERY: Readonly<Record<string, Fold>> = {
  'COUNT(v)': (values) => BigInt(present(values).length),
  'COUNT_DISTINCT(v)': (values) => BigInt(distinct(present(values)).length),
  'COLLECT_LIST(v)': (values) => values,
  'COLLECT_SET(v)': distinct,
  'LATEST_BY_OFFSET(v)': (values) => present(values).at(-1) ?? null,
  'LATEST_BY_OFFSET(v, false)': (values) => values.at(-1) ?? null,
  'LATEST_BY_OFFSET(v, 2)': (values) => present(values).slice(-2),
  'LATEST_BY_OFFSET(v, 2, false)': (values) => values.slice(-2),
  'EARLIEST_BY_OFFSET(v)': (values) => present(values)[0] ?? null,
  'EARLIEST_BY_OFFSET(v, false)': (values) => values[0] ?? null,
  'EARLIEST_BY_OFFSET(v, 2)': (values) => present(values).slice(0, 2),
};
const ORDERED: Readonly<Record<string, Fold>> = {
  'MIN(v)': (values) => falling(values).at(-1) ?? null,
  'MAX(v)': (values) => falling(values)[0] ?? null,
  'TOPK(v, 3)': (values) => falling(values).slice(0, 3),
  'TOPKDISTINCT(v, 3)': (values) => distinct(falling(values)).slice(0, 3),
};

function foldsOf(kind: Kind): Readonly<Record<string, Fold>> {
  if (kind === 'BOOLEAN') return EVERY;
  if (kind === 'DECIMAL') return { ...EVERY, ...ORDERED, 'SUM(v)': sum };
  if (!['INT', 'BIGINT', 'DOUBLE'].includes(kind)) return { ...EVERY, ...ORDERED };
  return { ...EVERY, ...ORDERED, 'SUM(v)': sum, 'AVG(v)': average };
}

/** In JSON, as it is written into topics. */
function json(value: Result, isDecimal: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => json(item, isDecimal)).join(',')}]`;
  if (typeof value === 'bigint' && isDecimal) return (Number(value) / 100).toFixed(2);
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value !== 'number') return JSON.stringify(value);
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : `${value}`;
}

/** Numbers that are not whole in one way of writing. */
const alike = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][-+]?\d+)?/g, (token) => {
    if (!/[.eE]/.test(token) || token.startsWith('"')) return token;
    return Object.is(Number(token), -0) ? '-0' : `${Number(token)}`;
  });

const queries = fc.constantFrom(...KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    calls: fc.array(fc.constantFrom(...Object.keys(foldsOf(kind))), { minLength: 1, maxLength: 3 }),
    rows: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        value: fc.option(fc.constantFrom(...VALUES[kind]), { freq: 6 }),
      }),
      { minLength: 1, maxLength: 30 },
    ),
    isKernel: fc.boolean(),
    cut: fc.nat(30),
  }),
);

test(
  `${QUERIES} aggregations of any type give what plain folds give`,
  async () => {
    const property = fc.asyncProperty(queries, async ({ kind, calls, rows, isKernel, cut }) => {
      const host = memoryHost({ kernel: isKernel ? kernelModule() : null });
      await using engine = await open({ host });
      const type = kind === 'DECIMAL' ? 'DECIMAL(6, 2)' : kind;
      const list = calls.map((call, at) => `${call} AS c${at}`).join(', ');
      await engine.execute(`
        CREATE STREAM s (k STRING KEY, v ${type})
          WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
        CREATE TABLE r AS SELECT k, ${list} FROM s GROUP BY k;`);
      const records = rows.map(({ key, value }) => ({
        key,
        value: `{"V":${json(value, kind === 'DECIMAL')}}`,
      }));
      for (const piece of [records.slice(0, cut), records.slice(cut)]) {
        await engine.produce('s', piece);
        await engine.idle();
      }
      const made = await engine.topicRecords('R');
      const found = made.map(({ value }) => alike(value === null ? '' : decodeUtf8(value)));
      const expected = rows.map(({ key }, at) => {
        const own = rows.slice(0, at + 1).filter((row) => row.key === key);
        const values = own.map(({ value }) => value);
        const cells = calls.map((call, index) => {
          const isDecimal = kind === 'DECIMAL' && !call.startsWith('COUNT');
          const result = foldsOf(kind)[call]?.(values, kind) ?? null;
          return `"C${index}":${json(result, isDecimal)}`;
        });
        return alike(`{${cells.join(',')}}`);
      });
      expect(found, `${list} of ${type}`).toEqual(expected);
    });
    await fc.assert(property, { numRuns: QUERIES });
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);
