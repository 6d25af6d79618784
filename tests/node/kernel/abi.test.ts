// What the compiled kernel shows to its host: constants, exports, imports and size; knows no behaviour.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import {
  BATCH_ROWS_MAX,
  JSON_COLUMNS_MAX,
  JSON_DEPTH_MAX,
  JSON_NAMES_BYTES_MAX,
  KERNEL_CALLS_MAX,
  RECORD_BATCH_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { Op } from '../../../runtime/data/batch.ts';
import {
  AGGREGATES_MAX,
  ARGUMENTS_MAX,
  OP_DELETE,
  OP_INSERT,
  OP_UPDATE_AFTER,
  OP_UPDATE_BEFORE,
} from '../../../runtime/kernel/abi.ts';
import * as JSON_ABI from '../../../runtime/kernel/json-abi.ts';
import { kernelModule as compiledKernel } from '../../support/kernel-module.ts';
import { kernelBytes, kernelModule } from './subject.ts';

/** Bytes of the whole kernel after gzip; what pages load of it is weighed with all that they load. */
const KERNEL_GZIP_BYTES_MAX = 23_900;
const root = resolve(import.meta.dirname, '../../..');

function constants(path: string): string[] {
  const text = readFileSync(resolve(root, path), 'utf8');
  return text.split('\n').filter((line) => line.startsWith('export const '));
}

test.each([
  ['abi.ts', 60],
  ['json-abi.ts', 40],
])('both sides of %s have the same constants, each a number', (file, more) => {
  const kernel = constants(`engine-asm/assembly/${file}`);
  expect(kernel.length).toBeGreaterThan(more);
  expect(constants(`runtime/kernel/${file}`)).toEqual(kernel);
  for (const line of kernel) expect(line).toMatch(/^export const [A-Z][A-Z0-9_]* = -?\d+;$/);
});

test('the kernel exports exactly the calls of the ABI table and imports only its memory', () => {
  const exports = WebAssembly.Module.exports(kernelModule).map(
    ({ name, kind }) => `${kind} ${name}`,
  );
  const readme = readFileSync(resolve(root, 'engine-asm/README.md'), 'utf8');
  const documented = [...readme.matchAll(/^\| `(\w+)\(/gm)].map((match) => `function ${match[1]}`);
  expect(documented.length).toBeGreaterThan(10);
  expect(exports.toSorted()).toEqual(documented.toSorted());
  expect(WebAssembly.Module.imports(kernelModule)).toEqual([
    { module: 'env', name: 'memory', kind: 'memory' },
  ]);
});

test('each call but those of what pages do without is of one of the halves, which import no more than the whole', () => {
  const names = (module: WebAssembly.Module) =>
    WebAssembly.Module.exports(module).map(({ name }) => name);
  const halves = [compiledKernel('aggregates'), compiledKernel('json')];
  const others = [
    'delimitedField',
    'delimitedInit',
    'internNumbers',
    'kafkaInit',
    'offsets',
    'openSessions',
  ];
  expect([...halves.flatMap(names), ...others].toSorted()).toEqual(names(kernelModule).toSorted());
  for (const half of halves)
    expect(WebAssembly.Module.imports(half)).toEqual(WebAssembly.Module.imports(kernelModule));
});

test('the kernel keeps to its size', () => {
  expect(gzipSync(kernelBytes, { level: 9 }).length).toBeLessThan(KERNEL_GZIP_BYTES_MAX);
});

test('the bounds of the JSON decoder are those that the planner knows', () => {
  expect(JSON_ABI.JSON_COLUMNS_MAX).toBe(JSON_COLUMNS_MAX);
  expect(JSON_ABI.JSON_NAMES_BYTES_MAX).toBe(JSON_NAMES_BYTES_MAX);
  expect(JSON_ABI.JSON_NESTING_MAX).toBe(JSON_DEPTH_MAX);
  expect(JSON_ABI.JSON_ROWS_MAX).toBe(BATCH_ROWS_MAX);
  // What a chunk brings finds room once the strings of those before are forgotten.
  expect(JSON_ABI.JSON_STRINGS_BYTES_MAX / 2).toBeGreaterThanOrEqual(RECORD_BATCH_BYTES_MAX);
});

test('the calls of one aggregation are those that the planner knows', () => {
  expect(AGGREGATES_MAX).toBe(KERNEL_CALLS_MAX);
  expect(ARGUMENTS_MAX).toBeGreaterThanOrEqual(KERNEL_CALLS_MAX);
});

test('operations are those of batches', () => {
  expect(OP_INSERT).toBe(Op.Insert);
  expect(OP_UPDATE_BEFORE).toBe(Op.UpdateBefore);
  expect(OP_UPDATE_AFTER).toBe(Op.UpdateAfter);
  expect(OP_DELETE).toBe(Op.Delete);
});

/** The bytes of the section of types, behind its length and their number. */
function typesOf(bytes: Uint8Array): Uint8Array {
  // Right behind the header; its length is a LEB128 of one or two bytes, the number of types is one.
  expect(bytes[8]).toBe(1);
  const [low = 0, high = 0] = bytes.subarray(9);
  const begins = low < 128 ? 10 : 11;
  const length = low < 128 ? low : (low & 127) | (high << 7);
  return bytes.subarray(begins + 1, begins + length);
}

// A group of types (0x4e) is read by engines with garbage collection alone: no Safari before 18.2, no Chrome before 119.
test.each(['kernel', 'kernel-aggregates', 'kernel-json'])(
  '%s has types that every engine with SIMD reads: plain functions',
  (name) => {
    const types = typesOf(readFileSync(resolve(root, `build/${name}.wasm`)));
    for (let at = 0; at < types.length;) {
      expect(types[at]).toBe(0x60);
      const results = at + 2 + (types[at + 1] ?? 0);
      at = results + 1 + (types[results] ?? 0);
    }
  },
);
