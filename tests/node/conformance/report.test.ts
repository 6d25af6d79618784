// How outcomes are counted: the list of known failures only shrinks, and what is out of scope or left out is no failure.

import { describe, expect, test, vi } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import { suiteFolder, suitesFolder } from '../../conformance/folder.ts';
import { knownFailures } from '../../conformance/known-failures.ts';
import { type Counted, reportLines, reportOf, type Report } from '../../conformance/report.ts';
import { outOfScope, sqlOutOfScope } from '../../conformance/scope.ts';

function counted(name: string, outcome: Counted['outcome'], isNegative = false): Counted {
  return { name, outcome, isNegative };
}

const KNOWN = new Map([['listed', 'for a reason']]);

function reported(outcome: Counted['outcome']): Report {
  return reportOf('suite', [counted('listed', outcome)], KNOWN);
}

describe('a case of the list', () => {
  test('is a known failure when it fails', () => {
    const { known, failures, positive } = reported({ kind: 'failed', why: 'wrong' });
    expect(known).toEqual([{ case: 'listed', why: 'for a reason' }]);
    expect(failures).toEqual([]);
    expect(positive).toEqual({ passed: 0, all: 1 });
  });

  test.each([
    [{ kind: 'passed' }, 'it passes: remove it from the list'],
    [
      { kind: 'outOfScope', reason: 'the format AVRO' },
      'it is out of scope: remove it from the list',
    ],
  ] as const)('fails the run when it is %j', (outcome, why) => {
    expect(reported(outcome).failures).toEqual([{ case: 'listed', why }]);
  });
});

test('a case beside the list fails the run when it fails', () => {
  const report = reportOf('suite', [counted('other', { kind: 'failed', why: 'wrong' })], KNOWN);
  expect(report.failures).toEqual([{ case: 'other', why: 'wrong' }]);
  expect(report.known).toEqual([]);
});

test('shares are of what is in scope and says something in the mode', () => {
  const report = reportOf(
    'suite',
    [
      counted('a', { kind: 'passed' }),
      counted('b', { kind: 'unsupported', reason: 'JOIN' }),
      counted('c', { kind: 'outOfScope', reason: 'the format AVRO' }),
      counted('d', { kind: 'leftOut', reason: 'a window' }),
      counted('e', { kind: 'passed' }, true),
      counted('f', { kind: 'passed', otherwise: 'got that' }, true),
    ],
    KNOWN,
  );
  expect(report.positive).toEqual({ passed: 1, all: 2 });
  expect(report.negative).toEqual({ passed: 2, all: 2 });
  expect(report.agreeing).toEqual({ passed: 1, all: 2 });
  expect(report.otherwise).toEqual([{ case: 'f', why: 'got that' }]);
  expect(reportLines(report)).toEqual([
    'not supported:',
    '  1 JOIN',
    'left out in this mode:',
    '  1 a window',
    'out of scope:',
    '  1 the format AVRO',
    'suite: 3 passed, 0 failed, 1 not supported, 1 out of scope, 1 left out',
    'in scope: positive 1/2 (50.0 %), negative 2/2 (100.0 %), of these refused for what the case names 1/2 (50.0 %)',
  ]);
});

test('every reason of the list is a sentence part of ours', () => {
  const reasons = [...knownFailures('query-validation-tests').values()];
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(reason).toMatch(/^[a-z].{20,}/);
  expect(knownFailures('no-suite').size).toBe(0);
});

describe('out of scope is', () => {
  const scope = (members: string): string | null => {
    const statements = members.startsWith('"statements"') ? '' : '"statements": ["S;"], ';
    const [one] = readCases('file', `{"tests": [{"name": "n", ${statements}${members}}]}`);
    return one === undefined ? 'no case' : outOfScope(one);
  };

  test.each([
    [`"statements": ["A WITH (value_format='Avro');"]`, 'the format AVRO'],
    [`"statements": ["A {FORMAT};"], "format": ["'JSON_SR'"]`, 'the format JSON_SR'],
    [`"statements": ["A WITH (key_schema_id = 1);"]`, 'the property KEY_SCHEMA_ID'],
    ['"properties": {"ksql.persistence.default.format.value": "PROTOBUF"}', 'the format PROTOBUF'],
    ['"topics": [{"name": "t", "valueFormat": "PROTOBUF_NOSR"}]', 'the format PROTOBUF_NOSR'],
    ['"topics": [{"name": "t", "valueSchema": {"type": "int"}}]', 'a registered schema'],
    [
      '"post": {"topics": {"topics": [{"name": "_confluent-ksql-x-repartition"}]}}',
      'the name of an internal topic',
    ],
  ])('%s', (members, reason) => {
    expect(scope(members)).toBe(reason);
  });

  test.each([
    `"statements": ["A WITH (value_format='JSON', kafka_topic='avro_topic');"]`,
    '"topics": [{"name": "t", "partitions": 4}]',
    '"post": {"topics": {"blacklist": ".*-repartition", "topics": [{"name": "OUTPUT"}]}}',
  ])('not %s', (members) => {
    expect(scope(members)).toBeNull();
  });

  test('a SQL test that names such a format', () => {
    expect(sqlOutOfScope("CREATE STREAM s WITH (format='avro');")).toBe('the format AVRO');
    expect(sqlOutOfScope("CREATE STREAM s WITH (format='json');")).toBeNull();
  });
});

test('the suites lie where MILLRACE_KSQL_DIR says, else beside the project', () => {
  vi.stubEnv('MILLRACE_KSQL_DIR', import.meta.dirname);
  expect(suitesFolder()).toBe(import.meta.dirname);
  vi.stubEnv('MILLRACE_KSQL_DIR', '');
  expect(suitesFolder()).toMatch(/shared.ksql$/);
  vi.unstubAllEnvs();
  expect(suiteFolder(import.meta.dirname, '../conformance')).toBe(import.meta.dirname);
  expect(suiteFolder(import.meta.dirname, 'sql-tests')).toBeNull();
});
