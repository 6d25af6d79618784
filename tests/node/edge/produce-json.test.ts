// What a produce request's body is found to hold, beside JSON.parse as the one who knows: the same texts are JSON, and the same members are there.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { producedBatches } from '../../../edge/routes/produce-body.ts';
import { type Member, producedJson } from '../../../edge/routes/produce-json.ts';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';

const seed = Date.now();
const TO = { topic: 't', partitions: 1, nowMs: 5, keyless: 0 };

/** JSON text of a value with white space where it may stand. */
function spaced(value: unknown, space: string): string {
  return JSON.stringify(value, null, space === '' ? undefined : space);
}

const record = fc.record(
  {
    key: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.constant(null)),
    value: fc.jsonValue({ maxDepth: 4 }),
    timestamp: fc.oneof(fc.nat(), fc.constant(-1), fc.constant(null)),
  },
  { requiredKeys: [] },
);

/** A key that is a string is its text, another one JSON with the white space that it was written with. */
function keyText(key: unknown, space: string): string | null {
  if (key === undefined || key === null) return null;
  return typeof key === 'string' ? decodeUtf8(encodeUtf8(key)) : spaced(key, space);
}

/** Less its white space where it is JSON, since that is not the same at another depth. */
function keyAsWritten(text: unknown, given: { readonly key?: unknown } | undefined): unknown {
  const isText = typeof given?.key === 'string';
  return isText || typeof text !== 'string' ? text : text.replaceAll(/\s/g, '');
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decodeUtf8(bytes);
}

/** What a value says; a null is stored as none. */
function json(text: unknown): unknown {
  return typeof text === 'string' ? JSON.parse(text) : null;
}

test('every record of a request is in its batch as it was written', () => {
  console.log(`produce-json records seed ${seed}`);
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('', ' ', '\t', '\n'),
      (records, space) => {
        const body = producedJson(encodeUtf8(spaced({ other: [{}], records }, space)));
        expect(body.count).toBe(records.length);
        const [batch] = producedBatches(body, TO);
        const stored = parseRecordBatch(batch?.bytes ?? new Uint8Array(0));
        const found = records.map((_, i) => [
          textOf(stored.key(i)),
          textOf(stored.value(i)),
          stored.timestamps[i],
        ]);
        expect(
          found.map(([key, value, at], i) => [keyAsWritten(key, records[i]), json(value), at]),
        ).toEqual(
          records.map((given) => {
            const { key, value = null, timestamp = null } = given;
            return [
              keyAsWritten(keyText(key, space), given),
              json(JSON.stringify(value)),
              timestamp === null || timestamp === -1 ? TO.nowMs : timestamp,
            ];
          }),
        );
      },
    ),
    { seed, numRuns: 150 },
  );
});

/** A request whose text has had some characters taken out, put in or changed. */
const damaged = fc
  .tuple(
    fc.array(record, { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          '',
          '"',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '\\',
          '-',
          '0',
          '.',
          'e',
          'n',
          ' ',
          '\n',
          'é',
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([records, edits]) =>
    edits.reduce((text, [at, put]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put + text.slice(from + 1);
    }, JSON.stringify({ records })),
  );

/** What JSON.parse thinks of it. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('a body is refused as no JSON exactly where it is none', () => {
  console.log(`produce-json damage seed ${seed}`);
  let broken = 0;
  fc.assert(
    fc.property(damaged, (text) => {
      const whole = decodeUtf8(encodeUtf8(text));
      let message = '';
      try {
        producedJson(encodeUtf8(text));
      } catch (thrown) {
        ({ message } = thrown as Error);
      }
      if (!isJson(whole)) broken += 1;
      expect(message.startsWith('the body is not JSON')).toBe(!isJson(whole));
    }),
    { seed, numRuns: 700 },
  );
  expect(broken).toBeGreaterThan(50);
});

const texts = (body: string, member: Member) => {
  const json = producedJson(encodeUtf8(body));
  return Array.from({ length: json.count }, (_, i) =>
    json.from(i, member) === 0
      ? null
      : decodeUtf8(json.bytes, json.from(i, member), json.to(i, member)),
  );
};

test('of members and of lists that stand twice the last counts; names may be written with escapes', () => {
  expect(texts('{"records":[{"value":1,"value":2.50}]}', 'value')).toEqual(['2.50']);
  expect(texts('{"records":[{"value":1},{"value":1}],"records":[{"value":3}]}', 'value')).toEqual([
    '3',
  ]);
  expect(texts('{"records":[{"v\\u0061lue": 1e0 }]}', 'value')).toEqual(['1e0']);
  expect(texts('{"\\u0072ecords":[{}]}', 'value')).toEqual([null]);
});

test.each([
  ['{"records":[]}', 'send {"records": [...]} with at least one record'],
  ['{"records":{}}', 'send {"records": [...]} with at least one record'],
  ['[{"value":1}]', 'send {"records": [...]} with at least one record'],
  ['{"records":[{},1]}', 'records[1] is not an object'],
  ['{"records":[{"value":1},{"valu":1}]}', "records[1] has an unknown member 'valu'"],
  ['{"records":[{"__proto__":1}]}', "records[0] has an unknown member '__proto__'"],
])('%s: %s', (body, message) => {
  expect(() => producedJson(encodeUtf8(body))).toThrow(message);
});

test('nesting has no bound, and takes no stack', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  expect(texts(`{"records":[{"value":${deep}}]}`, 'value')).toEqual([deep]);
  expect(() => producedJson(encodeUtf8(`{"records":[{"value":${deep.slice(1)}}]}`))).toThrow(
    /not JSON/,
  );
});

test('a request that fails in its middle leaves nothing to the next', () => {
  const produced = (records: readonly object[]) =>
    producedBatches(producedJson(encodeUtf8(JSON.stringify({ records }))), TO);
  const values = (records: readonly object[]) =>
    produced(records).map(({ bytes, rows }) => {
      const read = parseRecordBatch(bytes, 'INVALID_BATCH');
      expect(read.count).toBe(rows.length);
      return rows.map((_, i) => textOf(read.value(i)));
    });
  expect(values([{ value: 1 }, { value: 2 }])).toEqual([['1', '2']]);
  expect(() => produced([{ value: 3 }, { value: 4, timestamp: 'x' }])).toThrow(/timestamp/);
  expect(values([{ value: 5 }])).toEqual([['5']]);
  expect(values([{ value: 6 }])).toEqual([['6']]);
});
