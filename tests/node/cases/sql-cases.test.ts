// The project's own SQL cases, run live on both paths, fused and repartitioned, whole and restarted after each record.

import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../conformance/run-case.ts';
import { runSqlCase } from '../../conformance/run-sql-case.ts';
import { readSqlCases } from '../../../cli/sql-tests.ts';
import { sqlFiles } from '../../conformance/suite.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const ways = (['auto', 'row'] as const).flatMap((path) =>
  (['auto', 'never'] as const).flatMap((fuse) =>
    (['normal', 'restart'] as const).map((mode) => ({ path, fuse, mode })),
  ),
);

const files = sqlFiles(resolve(import.meta.dirname, '../../cases'));

test('the SQL cases are there, each with a name of its own', () => {
  const names = files.flatMap(({ cases }) => cases.map(({ name }) => name));
  expect(names.length).toBeGreaterThanOrEqual(10);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(files)('$stem', ({ cases }) => {
  test.each(cases)('$name', async (one) => {
    const faults: object[] = [];
    for (const way of ways) {
      const options: RunOptions = { ...way, random: () => 0, kernel: kernelModule() };
      const outcome = await runSqlCase(one, options);
      if (outcome.kind !== 'passed') faults.push({ ...way, ...outcome });
    }
    expect(faults).toEqual([]);
  });
});

test('directives belong to the case above them, and positions are the file’s', () => {
  const cases = readSqlCases(
    'f',
    '-- a comment\n--@test: one\nSET;\n--@test: two\n--@expected.error: a.b.C\n--@expected.message: m\nx',
  );
  expect(cases.map(({ name, expected }) => [name, expected])).toEqual([
    ['f - one', null],
    ['f - two', { type: 'C', message: 'm' }],
  ]);
  expect(cases[1]?.sql.split('\n').indexOf('x')).toBe(6);
});

test('statements before the first case and unknown directives are refused', () => {
  expect(() => readSqlCases('f', 'SET;')).toThrow('before the first case');
  expect(() => readSqlCases('f', '--@test: one\n--@expected.nothing: x')).toThrow(
    'expected.nothing',
  );
});
