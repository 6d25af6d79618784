// Numbers of keys that are texts: those of a whole dictionary in one loop are those of one entry after the other, with the same bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { type Batch, select } from '../../../runtime/data/batch.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { STRING } from '../../../runtime/data/type.ts';
import { NO_KEY, RowKeys } from '../../../runtime/state/row-keys.ts';

const SCHEMA = schema([{ name: 'K', type: STRING, role: 'key' }]);

/** An index, and the keys of a side over it. */
function keysOver(isOpen: boolean): { readonly index: Interner; readonly keys: RowKeys } {
  const index = new Interner();
  const locate = (bytes: Uint8Array, from: number, to: number): number =>
    index.intern(bytes, from, to);
  const numbers = isOpen ? { locate, index } : { locate };
  return { index, keys: new RowKeys(SCHEMA, numbers, { session: false }) };
}

function batchOf(texts: readonly (string | null)[]): Batch {
  const builder = new BatchBuilder(SCHEMA);
  for (const text of texts) builder.append([text], 0);
  const batch = builder.finish() as Batch;
  // A key of one column that is null is so as a whole: here the column alone says it.
  return { ...batch, keyNull: null };
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }).map((n) => `k${n}`) },
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(null, '', '\0', 'a\0b', 'x'.repeat(300)),
);
/** What rows a filter has let pass. */
const chosen = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
const batches = fc.array(fc.tuple(fc.array(text, { minLength: 1, maxLength: 60 }), chosen), {
  minLength: 1,
  maxLength: 6,
});

test('a dictionary in one loop gives the numbers and the bytes that its entries give one by one', () => {
  fc.assert(
    fc.property(batches, (some) => {
      const atOnce = keysOver(true);
      const oneByOne = keysOver(false);
      for (const [texts, passes] of some) {
        const whole = batchOf(texts);
        const kept = Uint32Array.from(texts.keys()).filter((i) => passes[i] === true);
        for (const batch of [whole, select(whole, kept)]) {
          if (batch === null) continue;
          const numbers = atOnce.keys.assign(batch).slice(0, batch.length);
          expect(numbers).toEqual(oneByOne.keys.assign(batch).slice(0, batch.length));
        }
      }
      expect(atOnce.index.size).toBe(oneByOne.index.size);
      for (let id = 0; id < atOnce.index.size; id++) {
        const key = oneByOne.index.key(id);
        expect(atOnce.index.key(id)).toEqual(key);
        expect(atOnce.index.find(key)).toBe(id);
      }
    }),
  );
});

test('both ways may take turns over one index', () => {
  const index = new Interner();
  const locate = (bytes: Uint8Array, from: number, to: number): number =>
    index.intern(bytes, from, to);
  const left = new RowKeys(SCHEMA, { locate, index }, { session: false });
  const right = new RowKeys(SCHEMA, { locate }, { session: false });
  const texts = Array.from({ length: 3000 }, (_, i) => `key ${i}`);
  const numbers = left.assign(batchOf(texts)).slice();
  expect(right.assign(batchOf(texts))).toEqual(numbers);
  expect(left.assign(batchOf(['key 7', 'new', null, 'key 2999']))).toEqual(
    expect.objectContaining({ 0: 7, 1: 3000, 2: NO_KEY, 3: 2999 }),
  );
  expect(right.assign(batchOf(['new']))[0]).toBe(3000);
});
