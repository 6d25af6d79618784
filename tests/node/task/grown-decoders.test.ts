// Decoders that have grown with the texts that they know: bounded together, and none decodes anything else for having begun anew.

import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { DECODERS_GROWN_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { grownDecoders, GrownDecoders } from '../../../runtime/task/grown-decoders.ts';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { STRING } from '../../../runtime/data/type.ts';
import { JsonValues } from '../../../runtime/task/json-values.ts';
import { KERNEL_DECODERS } from '../../../runtime/task/parts.ts';

afterEach(() => {
  grownDecoders.bytesMax = Infinity;
});

/** One that tells when it begins anew. */
const decoder = (name: string, told: string[]) => ({ letGo: () => void told.push(name) });

test('up to DECODERS_GROWN_BYTES_MAX all stay; beyond it those begin anew that were used longest ago', () => {
  const decoders = new GrownDecoders();
  decoders.bytesMax = DECODERS_GROWN_BYTES_MAX;
  const told: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((name) => decoder(name, told)) as [
    ReturnType<typeof decoder>,
    ReturnType<typeof decoder>,
    ReturnType<typeof decoder>,
  ];
  decoders.note(a, DECODERS_GROWN_BYTES_MAX / 4);
  decoders.note(b, DECODERS_GROWN_BYTES_MAX / 4);
  decoders.note(a, DECODERS_GROWN_BYTES_MAX / 4);
  expect([told, decoders.bytes]).toEqual([[], DECODERS_GROWN_BYTES_MAX]);
  decoders.note(c, 1);
  expect([told, decoders.bytes]).toEqual([['b'], DECODERS_GROWN_BYTES_MAX / 2 + 2]);
  decoders.note(a, 0);
  decoders.note(c, 0);
  expect([told, decoders.bytes]).toEqual([['b'], 0]);
});

test('one that has grown with long texts begins anew where there is no room, decodes the same, and counts no more once it is closed', async () => {
  await KERNEL_DECODERS.load();
  // What the tests of other files have left in this process begins anew.
  grownDecoders.bytesMax = 0;
  grownDecoders.note({ letGo: () => undefined }, 1);
  expect(grownDecoders.bytes).toBe(0);
  grownDecoders.bytesMax = Infinity;
  const module = new WebAssembly.Module(readFileSync('build/kernel.wasm'));
  const columns = [{ name: 'V', type: STRING, role: 'value' as const }];
  const values = new JsonValues(
    module,
    columns,
    { decode: () => expect.unreachable() },
    {
      step: { timestamp: null, schema: { columns }, sourceSchema: { columns } } as never,
      sharing: null,
    },
  );
  const decoded = (turn: number): unknown[] => {
    const texts = Array.from({ length: 100 }, (_, i) => `${turn} ${i} ${'x'.repeat(10_000)}`);
    const parts = texts.map((text) => encodeUtf8(JSON.stringify({ V: text })));
    const valueLengths = Int32Array.from(parts, ({ length }) => length);
    const bytes = new Uint8Array(Buffer.concat(parts));
    const from = (i: number): number => valueLengths.subarray(0, i).reduce((sum, n) => sum + n, 0);
    const records = { bytes, valueLengths, valueFrom: from, valueTo: (i: number) => from(i + 1) };
    const place = { topic: 't', partition: 0, base: 0, incarnation: '' };
    expect(values.begin({ records, place, from: 0, to: 100 })).toBe(true);
    const [column] = values.finish(null);
    expect(texts.map((_, i) => column && valueAt(column, i))).toEqual(texts);
    return texts;
  };
  decoded(0);
  const one = grownDecoders.bytes;
  expect(one).toBeGreaterThan(1_000_000);
  decoded(1);
  decoded(2);
  expect(grownDecoders.bytes).toBeGreaterThan(one);
  grownDecoders.bytesMax = one;
  decoded(3);
  expect(grownDecoders.bytes).toBe(0);
  // How much a new one grows by hangs on what the host gives its memory at once.
  grownDecoders.bytesMax = Infinity;
  decoded(4);
  expect(grownDecoders.bytes).toBeGreaterThan(1_000_000);
  values.close();
  expect(grownDecoders.bytes).toBe(0);
});
