// Functions that a Worker of the edge registers: known to every statement and task of it from then on.

import { expect, test } from 'vitest';
import { registerFunctions, registry } from '../../../edge/registry.ts';
import { INTEGER } from '../../../runtime/data/type.ts';
import { scalarFunction, tableFunction } from '../../../runtime/index.ts';

test('what is registered is there beside the built-in functions, one call after the other', async () => {
  const n = { name: 'n', type: 'INT' } as const;
  registerFunctions([
    scalarFunction({
      name: 'TWICE',
      parameters: [n],
      returns: 'INT',
      call: ([value]) => value * 2,
    }),
  ]);
  registerFunctions([
    tableFunction({ name: 'BOTH', parameters: [n], returns: 'INT', rows: ([of]) => [of, -of] }),
  ]);
  expect(registry.resolve('TWICE', [INTEGER])?.signature).toBe('TWICE(INTEGER)');
  expect(registry.bySignature('BOTH', 'BOTH(INTEGER)')?.kind).toBe('table');
  expect(registry.has('COUNT') && registry.has('BOTH')).toBe(true);
  expect(registry.names).toContain('TWICE');
  expect(registry.overloads('BOTH')).toHaveLength(1);
  await registry.load('TWICE', 'TWICE(INTEGER)');
});
