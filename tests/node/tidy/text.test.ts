// Every source file keeps the rules of text; each rule proves itself on a seeded fault.
import { describe, expect, test } from 'vitest';
import { SYNCHRONOUS_FOLDERS } from '../../support/layers.ts';
import { SOURCE_FOLDERS, sourceFiles } from '../../support/source-files.ts';
import {
  lengthFault,
  LINES_MAX,
  openingFault,
  runTimeCode,
  unexplainedSkips,
  unfinishedMarks,
  unmarkedPromises,
  waitingWords,
} from '../../support/text-rules.ts';

const files = sourceFiles(SOURCE_FOLDERS);
// The rules and their seeded faults name what they forbid.
const rules = /^tests\/(node\/tidy\/|support\/text-rules\.ts)/;
const others = files.filter(({ path }) => !rules.test(path));

function seeded(text: string): { path: string; text: string } {
  return { path: 'seeded.ts', text };
}

test('the files of every folder are seen', () => {
  expect(files.length).toBeGreaterThan(20);
  for (const folder of SOURCE_FOLDERS) {
    expect(
      files.filter(({ path }) => path.startsWith(`${folder}/`)).length,
      folder,
    ).toBeGreaterThan(0);
  }
});

describe('synchronous folders', () => {
  const synchronous = files.filter(({ path }) =>
    SYNCHRONOUS_FOLDERS.some((folder) => path.startsWith(`${folder}/`)),
  );

  test('every one of them holds files', () => {
    const empty = SYNCHRONOUS_FOLDERS.filter(
      (folder) => !synchronous.some(({ path }) => path.startsWith(`${folder}/`)),
    );
    expect(empty).toEqual([]);
  });

  test('nothing in them waits, reads a clock or draws a random number', () => {
    expect(synchronous.length).toBeGreaterThan(20);
    expect(synchronous.flatMap(waitingWords)).toEqual([]);
  });

  test.each(['async', 'await', 'Promise', 'Date.now', 'Math.random', 'setTimeout', 'new Date()'])(
    'the checker finds %s, and not inside a longer word',
    (word) => {
      expect(waitingWords(seeded(`const a = 1;\nx(${word});`))).toEqual([`seeded.ts:2: ${word}`]);
      expect(waitingWords(seeded(`x${word.replace('(', '')}y`))).toEqual([]);
    },
  );
});

test('a file opens with a sentence that says what it holds', () => {
  expect(files.flatMap(openingFault)).toEqual([]);
  expect(openingFault(seeded('// Holds the rows of one batch; knows no files.\n'))).toEqual([]);
  expect(openingFault(seeded('#!/usr/bin/env node\n// Holds the command line.\n'))).toEqual([]);
  expect(openingFault(seeded("import a from 'a';\n// Holds the command line."))).toHaveLength(1);
  expect(openingFault(seeded('// batch\n'))).toHaveLength(1);
});

test('a file has at most 400 lines', () => {
  expect(files.flatMap(lengthFault)).toEqual([]);
  expect(lengthFault(seeded('a\n'.repeat(LINES_MAX)))).toEqual([]);
  expect(lengthFault(seeded('a\n'.repeat(LINES_MAX + 1)))).toEqual(['seeded.ts: 401 lines']);
});

test('no code is made at run time', () => {
  expect(others.length).toBeGreaterThan(20);
  expect(others.flatMap(runTimeCode)).toEqual([]);
  expect(runTimeCode(seeded('eval(a)'))).toHaveLength(1);
  expect(runTimeCode(seeded("new Function('a')"))).toHaveLength(1);
  expect(runTimeCode(seeded('evaluate(a); isFunction(b); class A implements Function {}'))).toEqual(
    [],
  );
});

test('the edge makes its promises with withResolvers', () => {
  const edge = others.filter(({ path }) => path.startsWith('edge/'));
  expect(edge.length).toBeGreaterThan(20);
  expect(edge.flatMap(unmarkedPromises)).toEqual([]);
  expect(unmarkedPromises(seeded('await new Promise<void>((resolve) => {});'))).toHaveLength(1);
});

test('nothing is marked as unfinished', () => {
  expect(others.flatMap(unfinishedMarks)).toEqual([]);
  expect(unfinishedMarks(seeded('// TODO later'))).toHaveLength(1);
});

test('a skipped test gives its reason', () => {
  const tests = others.filter(({ path }) => path.startsWith('tests/'));
  expect(tests.length).toBeGreaterThan(5);
  expect(tests.flatMap(unexplainedSkips)).toEqual([]);
  expect(unexplainedSkips(seeded("test.skip('a', run);"))).toHaveLength(1);
  expect(unexplainedSkips(seeded("describe.only('a', run);"))).toHaveLength(1);
  expect(unexplainedSkips(seeded('// Needs two processors.\ntest.skip(run);'))).toEqual([]);
});

test('every test file lies where a Vitest project looks for it', () => {
  const tests = files.filter(({ path }) => path.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(5);
  const seen = /^tests\/(node|simulation|workers|browser)\//;
  expect(tests.filter(({ path }) => !seen.test(path))).toEqual([]);
});
