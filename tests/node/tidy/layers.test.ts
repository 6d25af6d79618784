// Imports follow the layers and make no cycle; the checker proves itself on seeded faults.
import { expect, test } from 'vitest';
import { findCycle, layerFault } from '../../support/layers.ts';
import { importsOf, SOURCE_FOLDERS, sourceFiles } from '../../support/source-files.ts';

const files = sourceFiles(SOURCE_FOLDERS);
const edges = files.flatMap(importsOf);

function faultsOf(path: string, text: string): (string | null)[] {
  return importsOf({ path, text }).map(layerFault);
}

test('every import goes to a layer on the left', () => {
  expect(files.length).toBeGreaterThan(20);
  expect(edges.length).toBeGreaterThan(files.length);
  expect(edges.map(layerFault).filter((fault) => fault !== null)).toEqual([]);
});

test('every import of a file of ours names a file', () => {
  const paths = new Set(files.map(({ path }) => path));
  const sources = edges.filter(({ ours, target }) => ours && target.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter(({ target }) => !paths.has(target) && target !== 'vite.config.ts')).toEqual(
    [],
  );
});

test('no file imports itself by way of others', () => {
  expect(findCycle(edges)).toBeNull();
});

test.each([
  ['runtime/sql/parser.ts', "import { a } from '../operators/filter.ts';"],
  ['runtime/operators/filter.ts', "import { a } from '../plan/step.ts';"],
  ['runtime/data/batch.ts', "export { a } from '../expr/expr.ts';"],
  ['runtime/data/batch.ts', "import type { A } from '../expr/expr.ts';"],
  ['runtime/task/task.ts', "import { a } from '../plan/step.ts';"],
  ['runtime/task/task.ts', "import { a } from '../sql/parser.ts';"],
  ['runtime/memory/log.ts', "import { a } from '../engine/engine.ts';"],
  ['runtime/engine/engine.ts', "const a = await import('../browser/idb-log.ts');"],
  ['runtime/engine/engine.ts', "import { readFile } from 'node:fs/promises';"],
  ['runtime/sync/mirror.ts', "import { openDB } from 'idb';"],
  ['runtime/client/query.ts', "import { parse } from '../sql/parser.ts';"],
  ['runtime/client/query.ts', "import { open } from '../engine/engine.ts';"],
  ['runtime/index.ts', "import '../edge/worker.ts';"],
  ['edge/worker.ts', "import '../cli/main.ts';"],
  ['runtime/fresh/file.ts', "import '../base/errors.ts';"],
])('the checker refuses in %s: %s', (path, text) => {
  expect(faultsOf(path, text)).toEqual([expect.stringContaining(path)]);
});

test.each([
  ['runtime/task/task.ts', "import type { Step } from '../plan/step.ts';"],
  ['runtime/operators/filter.ts', "import type { FilterStep } from '../plan/step.ts';"],
  ['runtime/task/build.ts', "import { a } from '../plan/step.ts';"],
  ['runtime/data/batch.ts', "import { a } from './column.ts';"],
  ['runtime/client/query.ts', "import type { Entity } from '../engine/status.ts';"],
  ['runtime/browser/store.ts', "import { openDB } from 'idb';"],
])('the checker admits in %s: %s', (path, text) => {
  expect(faultsOf(path, text)).toEqual([null]);
});

test('the checker finds a seeded cycle, and none among types', () => {
  const a = { path: 'runtime/data/a.ts', text: "import { b } from './b.ts';" };
  const b = { path: 'runtime/data/b.ts', text: "export * from './c.ts';" };
  const c = { path: 'runtime/data/c.ts', text: "import { a } from './a.ts';" };
  const types = { ...c, text: "import type { A } from './a.ts';" };
  expect(findCycle([a, b, c].flatMap(importsOf))).toEqual([a.path, b.path, c.path, a.path]);
  expect(findCycle([a, b, types].flatMap(importsOf))).toBeNull();
});
