// Limits are used, and the two ABI files hold the same numbers.
import { expect, test } from 'vitest';
import * as hostAbi from '../../../runtime/kernel/abi.ts';
import { exportedConstants, sourceFiles } from '../../support/source-files.ts';
import type { SourceFile } from '../../support/source-files.ts';

function only(folder: string, path: string): SourceFile {
  const file = sourceFiles([folder]).find((one) => one.path === path);
  if (file === undefined) throw new Error(`${path} is missing`);
  return file;
}

function unusedNames(names: Iterable<string>, files: readonly SourceFile[]): string[] {
  return [...names].filter((name) => {
    const word = new RegExp(`\\b${name}\\b`);
    return !files.some(({ text }) => word.test(text));
  });
}

test('every limit is used where it is enforced', () => {
  const limits = exportedConstants(only('runtime/base', 'runtime/base/limits.ts'));
  const files = sourceFiles(['runtime', 'edge', 'cli', 'demo']);
  const enforcing = files.filter(({ path }) => path !== 'runtime/base/limits.ts');
  expect(limits.size).toBeGreaterThan(15);
  expect(enforcing.length).toBeGreaterThan(20);
  expect(unusedNames(limits.keys(), enforcing)).toEqual([]);
  expect(unusedNames(['NO_SUCH_LIMIT_MAX', 'ROWS'], enforcing)).toContain('NO_SUCH_LIMIT_MAX');
});

test('a limit says its unit and its bound last', () => {
  const limits = exportedConstants(only('runtime/base', 'runtime/base/limits.ts'));
  expect([...limits.keys()].filter((name) => !/_(MAX|MIN|MS|BYTES)$/.test(name))).toEqual([]);
});

test('the kernel and the host agree on every number of the ABI', () => {
  const kernelAbi = exportedConstants(only('engine-asm/assembly', 'engine-asm/assembly/abi.ts'));
  const kernel = [...kernelAbi].map(([name, value]) => [name, Number(value)]);
  expect(kernel.length).toBeGreaterThan(20);
  expect(kernel.filter(([, value]) => Number.isNaN(value))).toEqual([]);
  expect(Object.fromEntries(kernel)).toEqual({ ...hostAbi });
});

test('an export is read with its number, whatever its type and digits', () => {
  const text =
    '/** A = 9; */\nexport const A_MAX: i32 = 1_024;\nexport const B_MAX = 0x10; // = 3;\n';
  const read = exportedConstants({ path: 'seeded.ts', text });
  expect([...read].map(([name, value]) => [name, Number(value)])).toEqual([
    ['A_MAX', 1024],
    ['B_MAX', 16],
  ]);
});
