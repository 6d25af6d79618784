// Texts that chunks have in common: each chunk's dictionary is what it would be by itself, however many texts come later.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { InvariantError } from '../../../runtime/base/errors.ts';
import { FamilyDictionary, TextFamily } from '../../../runtime/data/text-family.ts';

/** Texts one after the other, and where each ends, as a decoder has them. */
function encoded(texts: readonly string[]): { bytes: Uint8Array; ends: Uint32Array } {
  const parts = texts.map((text) => encodeUtf8(text));
  let end = 0;
  const ends = Uint32Array.from(parts, ({ length }) => (end += length));
  return { bytes: new Uint8Array(Buffer.concat(parts)), ends };
}

const texts = fc.uniqueArray(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 30, maxLength: 40 })),
  { minLength: 1, maxLength: 60 },
);

test('a dictionary is what one of its own texts alone would be, whatever came before and comes later', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(59), { maxLength: 6 }), fc.nat(), (all, cuts, seed) => {
      const family = new TextFamily(1);
      const made: [string[], FamilyDictionary][] = [];
      for (const cut of [...cuts, all.length].toSorted((a, b) => a - b)) {
        const known = all.slice(0, cut);
        if (known.length > family.size) {
          const { bytes, ends } = encoded(known);
          family.extend(bytes, ends);
        }
        const numbers = known.map((_, i) => i).filter((i) => ((seed >> (i % 20)) & 1) === 0);
        const chosen = numbers.toSorted((a, b) => ((a * 7 + seed) % 11) - ((b * 7 + seed) % 11));
        const dictionary = new FamilyDictionary(family, Uint32Array.from(chosen));
        made.push([chosen.map((i) => all[i] as string), dictionary]);
      }
      for (const [own, dictionary] of made) {
        const { bytes, ends } = encoded(own);
        expect(dictionary.size).toBe(own.length);
        expect(own.map((_, code) => dictionary.text(code))).toEqual(own);
        expect(own.map((_, code) => dictionary.utf8(code))).toEqual(
          own.map((text) => encodeUtf8(text)),
        );
        expect(dictionary.bytes).toEqual(bytes);
        expect([...dictionary.offsets]).toEqual([0, ...ends]);
        expect(dictionary.bytes).toBe(dictionary.bytes);
        expect(() => dictionary.text(own.length)).toThrow(InvariantError);
      }
    }),
  );
});
