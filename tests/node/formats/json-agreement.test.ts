// The JSON tokenizer against JSON.parse: the same texts are JSON, and they mean the same.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordError } from '../../../runtime/base/errors.ts';
import { JSON_FORMAT } from '../../../runtime/formats/json.ts';
import { decoding, spec } from './serde-harness.ts';

const RUNS = 20_000;
const decode = decoding(JSON_FORMAT, 'V:STRING', spec('JSON', false));

/** What the decoder reads: the canonical JSON text of the value, read again; undefined when the text was refused. */
function read(text: string): unknown {
  try {
    const [canonical] = decode(`{"x":${text}}`).values;
    return typeof canonical === 'string' ? JSON.parse(canonical) : undefined;
  } catch (thrown) {
    if (thrown instanceof RecordError) return undefined;
    throw thrown;
  }
}

/** The same by JSON.parse. */
function expected(text: string): unknown {
  try {
    return wellFormed(JSON.parse(`{"x":${text.toWellFormed()}}`));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** UTF-8 cannot hold lone surrogates: they are replaced, as the decoder replaces them. */
function wellFormed(json: unknown): unknown {
  if (typeof json === 'string') return json.toWellFormed();
  if (Array.isArray(json)) return json.map(wellFormed);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key.toWellFormed(), wellFormed(value)]),
  );
}

const jsonText = fc.oneof(
  fc.json({ maxDepth: 5, stringUnit: 'grapheme' }),
  fc.json({ maxDepth: 3, stringUnit: 'binary', noUnicodeString: false }),
  fc.double().map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
);

test('generated JSON means what JSON.parse says', () => {
  fc.assert(
    fc.property(jsonText, fc.boolean(), (text, spaced) => {
      const written = spaced ? JSON.stringify(JSON.parse(text), null, ' \t') : text;
      expect(read(written)).toEqual(expected(written));
    }),
    { numRuns: RUNS },
  );
});

test('mutated JSON is refused or means what JSON.parse says', () => {
  const insert = fc.oneof(
    fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\t', '\u0001', 'é'),
    fc.constantFrom('0', '-', '.', 'e', '+', '1e5', '01', 'null', 'tru', 'u', '\\u00e', '\\ud800'),
  );
  const mutation = fc.tuple(fc.nat(), fc.nat({ max: 3 }), insert);
  fc.assert(
    fc.property(jsonText, fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
      let mutated = text;
      for (const [where, cut, added] of mutations) {
        const at = where % (mutated.length + 1);
        mutated = mutated.slice(0, at) + added + mutated.slice(at + cut);
      }
      expect(read(mutated)).toEqual(expected(mutated));
    }),
    { numRuns: RUNS },
  );
});
