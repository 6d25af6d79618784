// Ids of texts that come in dictionaries of one family: each is the text's own, whichever chunks were looked up before.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { TextFamily } from '../../../runtime/data/text-family.ts';
import { Kernel } from '../../../runtime/kernel/instance.ts';
import { FamilyIds } from '../../../runtime/operators/rarer-pieces.ts';
import { kernelModule, keysOf, program } from '../kernel/subject.ts';

const TEXTS = Array.from({ length: 200 }, (_, i) => `text ${i} ${'x'.repeat(i % 30)}`);

/** The numbers of a chunk's texts, each once, in any order, and how many of the family there were by then. */
const chunk = fc.record({
  numbers: fc.uniqueArray(fc.nat(TEXTS.length - 1), { minLength: 1, maxLength: 60 }),
  size: fc.integer({ min: 1, max: TEXTS.length }),
});

test('each text has its own id, found again by its number, whatever the chunks were', () => {
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 6 }), (chunks) => {
      const kernel = new Kernel(kernelModule, program);
      // Known without a number, too: ids are not numbers.
      kernel.intern(keysOf(['another', TEXTS[7] as string]));
      const family = new TextFamily(1);
      const ids = new FamilyIds(family, kernel);
      const idsByText = new Map<string, number>();
      for (const { numbers, size } of chunks) {
        const known = Math.max(size, ...numbers.map((number) => number + 1), family.size);
        const { bytes, offsets } = keysOf(TEXTS.slice(0, known));
        family.extend(bytes, offsets.slice(1));
        ids.of(Uint32Array.from(numbers)).forEach((id, code) => {
          const text = TEXTS[numbers[code] as number] as string;
          expect(decodeUtf8(kernel.keyOf(id))).toBe(text);
          expect(idsByText.get(text) ?? id).toBe(id);
          idsByText.set(text, id);
        });
      }
    }),
  );
});
