// Values in DELIMITED and KAFKA, and keys, decoded in a whole kernel and without it: the same rows and the same faults.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import type { FormatSpec } from '../../../runtime/formats/serde.ts';
import { JSON_REGION_BYTES_MAX, JSON_STRING_BYTES_MAX } from '../../../runtime/kernel/json-abi.ts';
import type { SourceStep } from '../../../runtime/plan/step.ts';
import { readerOf } from '../../../runtime/task/input.ts';
import { bothReaders, type Given, jsonSource } from '../../support/json-readers.ts';
import { kernelModule } from '../../support/kernel-module.ts';

function spec(format: string, delimiter?: string): FormatSpec {
  const options = delimiter === undefined ? [] : [['DELIMITER', delimiter] as const];
  return { format, options, wrap: true };
}

/** A step that reads all columns of a header, or those of these names. */
function source(
  header: string,
  formats: { readonly key?: FormatSpec; readonly value?: FormatSpec },
  read: readonly string[] | null = null,
): SourceStep {
  const step = jsonSource(header);
  const { columns } = prettySchema(header);
  return {
    ...step,
    keyFormat: formats.key ?? step.keyFormat,
    valueFormat: formats.value ?? step.valueFormat,
    schema: schema(columns.filter(({ name }) => read === null || read.includes(name))),
  };
}

const LINE =
  'S:STRING | I:INTEGER | B:BIGINT | D:DOUBLE | T:BOOLEAN | AT:TIMESTAMP | TI:TIME | DA:DATE | L:STRING';
const NUMBERS = `0 -0 1 -1 +1 007 1. .5 1.5 1e3 1e400 -1e-400 NaN -Infinity 1d 2f 2147483647 2147483648 -2147483648
  9223372036854775807 9223372036854775808 -9223372036854775808 12345678901234567890 86399999 86400000 0x10 --1 1_0 9007199254740993`;
const cell = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '',
      'a',
      'text of more than sixteen bytes',
      'é😀',
      ' padded ',
      '"',
      'a"b',
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '""',
      '"quoted"',
      '"a ""b"" c"',
      '"x,y"',
      '"x\ny"',
      '"é"',
      '"open',
      '""""',
      '"a"b',
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom('true', 'FALSE', 'tRue', 'truth', ' true', '\u00a0true'),
  },
  { weight: 12, arbitrary: fc.constantFrom(...NUMBERS.split(/\s+/u)) },
  { weight: 3, arbitrary: fc.constantFrom(' 1', '1 ', '\t-7', '1\u0000', '\u0000') },
  { weight: 6, arbitrary: fc.integer().map(String) },
  { weight: 6, arbitrary: fc.double().map(String) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) },
);
const fitting: readonly fc.Arbitrary<string>[] = [
  fc.constantFrom('a', '"b ""c"""', '', 'é', 'a text of more than sixteen bytes'),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('true', 'false', 'TRUE', ''),
  fc.integer({ min: 0 }).map(String),
  fc.integer({ min: 0, max: 86_399_999 }).map(String),
  fc.integer({ min: -100, max: 20_000 }).map(String),
  fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[",;\t\r\n]/u.test(text)),
];
const breaks = fc.constantFrom('', '', '', '', '\n', '\r\n', '\n\n');
/** The parts of a line: its fields, and what stands before and behind them. */
const line = fc.tuple(
  breaks,
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(
        ...fitting.map((fits) =>
          fc.oneof({ weight: 30, arbitrary: fits }, { weight: 1, arbitrary: cell }),
        ),
      ),
    },
    { weight: 1, arbitrary: fc.array(cell, { minLength: 7, maxLength: 10 }) },
  ),
  breaks,
);
const cut = fc.tuple(fc.nat(), fc.nat(2), fc.uint8Array({ maxLength: 2 }));

function mutated(
  text: string,
  cuts: readonly (readonly [number, number, Uint8Array])[],
): Uint8Array {
  let bytes = encodeUtf8(text);
  for (const [where, length, added] of cuts) {
    const at = where % (bytes.length + 1);
    bytes = Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + length)]);
  }
  return bytes;
}

function linesBy(delimiter: string): fc.Arbitrary<Given> {
  const text = line.map(([before, fields, behind]) => before + fields.join(delimiter) + behind);
  return fc.oneof(
    { weight: 8, arbitrary: text },
    {
      weight: 2,
      arbitrary: fc
        .tuple(text, fc.array(cut, { minLength: 1, maxLength: 3 }))
        .map(([of, cuts]) => mutated(of, cuts)),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Given>(null, '', '\n', ',,,,,,,,', `x${','.repeat(8)}`),
    },
  );
}

test.each([
  [',', null],
  ['TAB', ['S', 'D', 'L']],
  ['|', ['I', 'T', 'DA']],
  ['SPACE', ['L']],
  ['.', null],
  ['5', null],
  ['é', null],
])('lines with the delimiter %s are the same rows and the same faults', (delimiter, read) => {
  const both = bothReaders(source(LINE, { value: spec('DELIMITED', delimiter) }, read));
  const between = { TAB: '\t', SPACE: ' ' }[delimiter] ?? delimiter;
  fc.assert(
    fc.property(
      fc.array(linesBy(between), { minLength: 1, maxLength: 60 }),
      fc.nat(59),
      (values, at) => {
        const end = Math.min(at, values.length - 1);
        const [kernel, plain] = both(values, end === 0 ? [values.length] : [end, values.length]);
        expect(JSON.stringify(kernel, null, 1)).toBe(JSON.stringify(plain, null, 1));
      },
    ),
    { numRuns: 50 },
  );
});

test('the number at the end of a line does not go on in the next one', () => {
  const step = source('I:INTEGER | B:BIGINT', { value: spec('DELIMITED') });
  const [kernel, plain] = bothReaders(step)(['1,2', '3,4', '55,666', '7,8']);
  expect(kernel).toEqual(plain);
});

test('texts are as long as the kernel takes them, and longer ones are read beside it', () => {
  const step = source('S:STRING | I:INTEGER', { value: spec('DELIMITED') });
  const lengths = [JSON_STRING_BYTES_MAX, JSON_STRING_BYTES_MAX + 1, JSON_REGION_BYTES_MAX];
  const [kernel, plain] = bothReaders(step)(lengths.map((length) => `${'x'.repeat(length)},7`));
  expect(kernel).toEqual(plain);
});

test('good lines and keys are decided in the kernel', () => {
  const step = source('K:STRING key | S:STRING | T:BOOLEAN | D:DOUBLE', {
    value: spec('DELIMITED'),
  });
  const builder = new RecordBatchBuilder();
  for (const text of ['a,true,1.5', '"b ""c""",FALSE,', 'é,,-2'])
    builder.append(encodeUtf8(`key ${text}`), encodeUtf8(text), 1);
  const records = parseRecordBatch(builder.finish() ?? new Uint8Array());
  const dictionaries = (kernel: WebAssembly.Module | null): boolean[] => {
    const place = { topic: 's', partition: 0, base: 0, incarnation: '1' };
    const reader = readerOf(step, FORMATS, { kernel });
    const batch = reader.read(records, place, 0, records.count, (_, error) => {
      throw error;
    });
    // Only the kernel's texts are known from chunk to chunk; were one of them of another decoder, none would be.
    return (batch?.columns ?? []).flatMap((column) =>
      column.storage === 'dictionary' ? [column.dictionary.known !== undefined] : [],
    );
  };
  expect(dictionaries(kernelModule())).toEqual([true, true]);
  expect(dictionaries(null)).toEqual([false, false]);
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const kafkaKeys = {
  STRING: fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text): Given => encodeUtf8(text)),
    fc.uint8Array({ maxLength: 40 }),
  ),
  INTEGER: bytes(4),
  BIGINT: bytes(8),
  DOUBLE: fc.oneof(bytes(8), fc.constant(Uint8Array.of(0x7f, 0xf8, 0, 0, 0, 0, 0, 1))),
};

test.each(Object.entries(kafkaKeys))('keys in KAFKA of type %s', (type, good) => {
  const key: fc.Arbitrary<Given> = fc.oneof(
    { weight: 20, arbitrary: good },
    { weight: 1, arbitrary: fc.constantFrom<Given>(null, Uint8Array.of(), Uint8Array.of(1, 2, 3)) },
  );
  const value = fc.constantFrom<Given>(
    '{"N":1}',
    '{"N":1}',
    '{"N":1}',
    null,
    '{"N":"2"}',
    '{"N":',
    'null',
  );
  for (const kind of ['stream', 'table'] as const) {
    const both = bothReaders({ ...source(`K:${type} key | N:BIGINT`, {}), kind });
    const none = bothReaders({ ...source(`K:${type} key | N:BIGINT`, {}, ['K']), kind });
    const values = bothReaders({
      ...source(`K:${type} key | N:${type}`, { value: spec('KAFKA') }),
      kind,
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, value, key), { minLength: 1, maxLength: 40 }),
        (records) => {
          const keyOf = (i: number) => records[i]?.[0] ?? null;
          for (const [read, given] of [
            [both, 1],
            [none, 1],
            [values, 2],
          ] as const) {
            const [kernel, plain] = read(
              records.map((record) => record[given]),
              undefined,
              keyOf,
            );
            expect(JSON.stringify(kernel)).toBe(JSON.stringify(plain));
          }
        },
      ),
      { numRuns: 30 },
    );
  }
});

test('keys in DELIMITED and JSON are the same too, and of windows they are read without the kernel', () => {
  const values = ['{"N":1}', '{"N":2}', '{"N":"x"}', '{"N":4}'];
  const keys = ['a,1', '"b ""c""",2', 'x', '{"A":"a","B":7}'];
  for (const key of [spec('DELIMITED'), spec('JSON')]) {
    const step = source('A:STRING key | B:INTEGER key | N:BIGINT', { key });
    for (const window of [null, { type: 'TUMBLING' as const, sizeMs: 1000 }]) {
      const [kernel, plain] = bothReaders({ ...step, window })(
        values,
        undefined,
        (i) => keys[i] ?? null,
      );
      expect(kernel).toEqual(plain);
    }
  }
});

test('a half of the kernel, as pages have it, leaves these formats to the decoders in TypeScript', () => {
  const step = source(LINE, { value: spec('DELIMITED') });
  const [late, plain] = bothReaders(
    step,
    kernelModule('aggregates'),
  )(['a,1,2,3,true,4,5,6,b', 'x']);
  expect(late).toEqual(plain);
});
