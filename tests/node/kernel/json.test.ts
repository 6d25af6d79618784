// The kernel's JSON decoder: what it decides and what it declines, its limits at their maximum, and that no input harms it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  JSON_COLUMNS_MAX,
  JSON_MEMORY_BYTES_MAX,
  JSON_NAMES_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { bitAt, type Column, valueAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { STRING } from '../../../runtime/data/type.ts';
import { isDecodable } from '../../../runtime/formats/json-kernel.ts';
import {
  STATUS_BAD_ARGUMENT,
  STATUS_BAD_CONFIG,
  STATUS_NOT_READY,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from '../../../runtime/kernel/abi.ts';
import { instantiate, type KernelExports } from '../../../runtime/kernel/exports.ts';
import * as ABI from '../../../runtime/kernel/json-abi.ts';
import { JsonKernel } from '../../../runtime/kernel/json-instance.ts';
import { draws } from '../../support/draws.ts';
import { kernelModule } from './subject.ts';

const HEADER = 'S:STRING | I:INTEGER | B:BIGINT | D:DOUBLE | T:BOOLEAN';
const STATUSES: ReadonlyMap<number, string> = new Map([
  [ABI.JSON_OK, 'ok'],
  [ABI.JSON_NULL, 'null'],
  [ABI.JSON_DECLINED_SYNTAX, 'syntax'],
  [ABI.JSON_DECLINED_NAME, 'name'],
  [ABI.JSON_DECLINED_KIND, 'kind'],
  [ABI.JSON_DECLINED_NUMBER, 'number'],
  [ABI.JSON_DECLINED_DUPLICATE, 'duplicate'],
  [ABI.JSON_DECLINED_LONG, 'long'],
  [ABI.JSON_DECLINED_FULL, 'full'],
]);

function decoded(kernel: JsonKernel, values: readonly (string | Uint8Array | null)[]): string[] {
  const parts = values.map((value) => (typeof value === 'string' ? encodeUtf8(value) : value));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part !== null) bytes.set(part, at);
    at += part?.length ?? 0;
  }
  const lengths = Int32Array.from(parts, (part) => part?.length ?? ABI.JSON_LENGTH_NULL);
  return Array.from(kernel.decode(bytes, 0, lengths), (status) => STATUSES.get(status) ?? '?');
}

function kernelOf(header = HEADER): JsonKernel {
  return new JsonKernel(kernelModule, prettySchema(header).columns);
}

test.each([
  ['ok', '{"S":"a","I":1,"B":9223372036854775807,"D":1.5,"T":true}'],
  ['ok', '{"s":"a","i":-2147483648,"b":-9223372036854775808,"d":-0,"t":false}'],
  ['ok', ' { "S" : "a" , "other" : [ { "S" : [ ] } , null , -1.5e-7 ] } '],
  ['ok', '{}'],
  ['ok', '{"S":null,"I":null}'],
  ['ok', '{"S":"\\u00e9\\ud83d\\ude00\\n","x":"é😀"}'],
  ['ok', '{"D":0.30000000000000004}'],
  ['ok', '{"D":1234567890123456789e-20}'],
  ['ok', '{"D":0.00000001234567890123456789}'],
  ['ok', '{"__proto__":{"S":1},"constructor":2}'],
  ['ok', '\u0000\u0000\u0000\u0000\u0007{"S":"with the prefix of a schema registry"}'],
  ['null', 'null'],
  ['null', null],
  ['syntax', ''],
  ['syntax', ' '],
  ['syntax', '{"S":"a"'],
  ['syntax', '{"S":"a"}x'],
  ['syntax', '{"S":"a",}'],
  ['syntax', '{"I":01}'],
  ['syntax', '[]'],
  ['syntax', '\ufeff{"S":"a"}'],
  ['syntax', Uint8Array.of(0x7b, 0x22, 0x78, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d)],
  ['syntax', `{"x":${'['.repeat(64)}${']'.repeat(64)}}`],
  ['ok', `{"x":${'['.repeat(63)}${']'.repeat(63)}}`],
  ['syntax', '['.repeat(10_000)],
  ['kind', '{"S":1}'],
  ['kind', '{"I":"1"}'],
  ['kind', '{"T":1}'],
  ['number', '{"I":2147483648}'],
  ['number', '{"I":1.5}'],
  ['number', '{"B":9223372036854775808}'],
  ['number', '{"D":1e400}'],
  ['number', '{"D":12345678901234567890}'],
  ['duplicate', '{"S":"a","S":"b"}'],
  ['duplicate', '{"S":"a","s":"b"}'],
  ['ok', '{"x":1,"x":2}'],
  ['long', `{"S":"${'x'.repeat(ABI.JSON_STRING_BYTES_MAX + 1)}"}`],
  ['ok', `{"S":"${'x'.repeat(ABI.JSON_STRING_BYTES_MAX)}"}`],
  ['ok', `{"x":"${'x'.repeat(ABI.JSON_REGION_BYTES_MAX - 8)}"}`],
  ['long', `{"x":"${'x'.repeat(ABI.JSON_REGION_BYTES_MAX - 7)}"}`],
  ['long', `{"x":"${'x'.repeat(10_000_000)}"}`],
])('is %s: %.60s', (status, value) => {
  const good = '{"S":"good"}';
  expect(decoded(kernelOf(), [good, value, good])).toEqual(['ok', status, 'ok']);
});

test('a name beyond ASCII is asked for once a spelling', () => {
  const kernel = kernelOf('É:STRING | STRASSE:STRING');
  const names = ['"é"', '"É"', '"straße"', '"\\u00e9"', '"\\u0069"', '"größe"'];
  const values = names.map((name) => `{${name}:"a"}`);
  // One name is learnt a call, and these are so few that a call takes all of them.
  for (let i = 0; i < names.length; i++) decoded(kernel, values);
  expect(decoded(kernel, values)).toEqual(names.map(() => 'ok'));
  const [first, second] = kernel.columns() as [Column, Column];
  const texts = (column: Column) => names.map((_, row) => valueAt(column, row));
  expect(texts(first)).toEqual(['a', 'a', null, 'a', null, null]);
  expect(texts(second)).toEqual([null, null, 'a', null, null, null]);
  // So many spellings, and bytes of them, that they are forgotten, and asked for again.
  const step = Math.ceil(ABI.JSON_SPELLINGS_BYTES_MAX / 200);
  for (let i = 0; i < ABI.JSON_SPELLINGS_MAX * 3; i++)
    decoded(kernel, [`{"ü${i}":1}`, `{"ü${'x'.repeat(i * step)}":1}`]);
  for (let i = 0; i < names.length; i++) decoded(kernel, values);
  expect(decoded(kernel, values)).toEqual(names.map(() => 'ok'));
});

test('takes as many columns, and bytes of their names, as the limits say', () => {
  const spec = { format: 'JSON', options: [], wrap: true };
  const columns = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: `C${i}`.padEnd(length, '_'),
      type: STRING,
      role: 'value' as const,
    }));
  const widest = columns(JSON_COLUMNS_MAX, JSON_NAMES_BYTES_MAX / JSON_COLUMNS_MAX);
  expect(isDecodable(spec, widest, widest)).toBe(true);
  const kernel = new JsonKernel(kernelModule, widest, JSON_MEMORY_BYTES_MAX);
  const text = `{${widest.map(({ name }) => `"${name}":"${name}"`).join(',')}}`;
  expect(decoded(kernel, [text, text.toLowerCase()])).toEqual(['ok', 'ok']);
  expect(kernel.columns().map((column) => valueAt(column, 1))).toEqual(
    widest.map(({ name }) => name.toLowerCase()),
  );
  const more = columns(JSON_COLUMNS_MAX + 1, 4);
  expect(isDecodable(spec, more, more)).toBe(false);
  const longer = columns(2, JSON_NAMES_BYTES_MAX / 2 + 1);
  expect(isDecodable(spec, longer, longer)).toBe(false);
});

test('little memory declines what finds no room, and no more', () => {
  const kernel = new JsonKernel(kernelModule, prettySchema('S:STRING').columns, 1_048_576);
  const values = Array.from({ length: 4096 }, (_, i) => `{"S":"${String(i).padEnd(500, '.')}"}`);
  const statuses = decoded(kernel, values);
  expect(statuses.filter((status) => status === 'full').length).toBeGreaterThan(1000);
  const [column] = kernel.columns() as [Column];
  const taken = statuses.flatMap((status, row) => (status === 'ok' ? [row] : []));
  expect(taken.map((row) => valueAt(column, row))).toEqual(
    taken.map((row) => String(row).padEnd(500, '.')),
  );
  expect(decoded(kernel, ['{"S":"again"}'])[0]).toMatch(/ok|full/u);
});

/** A raw instance with three columns, for calls that no host would make. */
function raw(): { calls: KernelExports; memory: WebAssembly.Memory } {
  const instance = instantiate(kernelModule, JSON_MEMORY_BYTES_MAX);
  const { calls, memory } = instance;
  const at = calls.jsonBuffer(ABI.JSON_BUFFER_CONFIG, 0) >>> 0;
  const config = new DataView(memory.buffer, at, ABI.JSON_CONFIG_BYTES);
  config.setUint32(ABI.JSON_CONFIG_COLUMNS, 3, true);
  [ABI.JSON_TYPE_STRING, ABI.JSON_TYPE_DOUBLE, ABI.JSON_TYPE_BIGINT].forEach((type, i) => {
    config.setUint32(ABI.JSON_CONFIG_TYPES + i * 4, type, true);
    config.setUint32(ABI.JSON_CONFIG_NAME_LENGTHS + i * 4, 1, true);
    config.setUint8(ABI.JSON_CONFIG_NAMES + i, 'SDB'.charCodeAt(i));
  });
  expect(calls.jsonInit()).toBe(0);
  return instance;
}

/** A share of FUZZ_CALLS in each test run; `MILLRACE_FUZZ_CALLS=500000` makes all of them. */
const FUZZ_CALLS = Number(process.env['MILLRACE_FUZZ_CALLS'] ?? 40_000);
const CALLS_A_RUN = 400;

const PIECES = [
  '{"S":"',
  '"',
  '"D":',
  '1',
  '.5e',
  '}',
  ',',
  ':',
  '\\u',
  '\\ud83d',
  '{',
  '[',
  ']',
  'null',
  'true',
  ' ',
  '"B":-',
  '9223372036854775808',
  'é',
  '\u0000',
  '"S":"x","D":1,"B":2}',
  'x,1.5,2',
  '"a ""b""",',
  '\n',
].map((text) => encodeUtf8(text));

/** The texts of a chunk's first column, by row. */
function textsOf(kernel: JsonKernel, texts: readonly string[]): () => unknown[] {
  decoded(
    kernel,
    texts.map((text) => JSON.stringify({ S: text })),
  );
  const [column] = kernel.columns() as [Column];
  return () => texts.map((_, row) => valueAt(column, row));
}

test('texts of a chunk stay when others come, when a chunk is given up, and when all are forgotten', () => {
  const kernel = kernelOf();
  const long = 'a text of more than sixteen bytes';
  const first = ['b', 'a', '', 'b', long];
  const read = textsOf(kernel, first);
  // Its columns are never asked for, and its texts are new.
  decoded(kernel, ['{"S":"given up"}', `{"S":"${long}, given up"}`]);
  const second = ['c', 'given up', 'a', `${long}, given up`];
  const readSecond = textsOf(kernel, second);
  expect(readSecond()).toEqual(second);
  const all: [string[], () => unknown[]][] = [];
  const chunks = Math.ceil(ABI.JSON_ENTRIES_MAX / ABI.JSON_ROWS_MAX) + 1;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const many = Array.from({ length: ABI.JSON_ROWS_MAX }, (_, i) => `${chunk} ${i}`);
    all.push([many, textsOf(kernel, many)]);
  }
  for (const [texts, again] of all) expect(again()).toEqual(texts);
  expect(read()).toEqual(first);
  expect(readSecond()).toEqual(second);
});

test('texts of as many bytes as the limit says are taken, more are declined', () => {
  const kernel = kernelOf();
  const count = ABI.JSON_STRINGS_BYTES_MAX / ABI.JSON_STRING_BYTES_MAX;
  const texts = Array.from({ length: count + 1 }, (_, i) =>
    String(i).padEnd(ABI.JSON_STRING_BYTES_MAX, 'x'),
  );
  const statuses = decoded(
    kernel,
    texts.map((text) => `{"S":"${text}"}`),
  );
  expect(statuses).toEqual([...Array.from({ length: count }, () => 'ok'), 'full']);
  const [column] = kernel.columns() as [Column];
  expect(valueAt(column, count - 1)).toBe(texts[count - 1]);
  // More than half of them: the next chunk forgets all.
  expect(textsOf(kernel, ['a', 'b'])()).toEqual(['a', 'b']);
});

test('whatever is called with whatever stands in memory, each call ends with a status', () => {
  const seen = new Set<number>();
  const wrong: number[] = [];
  const check = (status: number, ...due: readonly number[]): void => {
    if (!due.includes(status)) wrong.push(status);
  };
  fc.assert(
    fc.property(fc.integer({ min: 1 }), (seed) => {
      const below = draws(seed);
      const { calls, memory } = raw();
      for (let i = 0; i < CALLS_A_RUN; i++) {
        const wild = below(12) === 0;
        const number = wild ? below(2 ** 32) - 2 ** 31 : below(40);
        switch (below(11)) {
          case 0:
            check(calls.jsonBegin(0), STATUS_OK, STATUS_OUT_OF_MEMORY);
            break;
          case 1:
            check(calls.jsonFinish(), STATUS_OK, STATUS_NOT_READY);
            break;
          case 2:
            check(Math.min(calls.jsonIntern(below(5), number), 0), 0, -1);
            break;
          case 3:
            check(calls.jsonLearn(number, below(6) - 2, below(4)), STATUS_OK, STATUS_BAD_ARGUMENT);
            break;
          case 4:
            calls.jsonBuffer(below(12), number);
            break;
          case 5:
            if (below(8) === 0) check(calls.kafkaInit(), STATUS_BAD_CONFIG);
            else if (below(4) > 0)
              check(
                calls.delimitedField(below(4), wild ? number : below(5)),
                STATUS_OK,
                STATUS_BAD_ARGUMENT,
              );
            else
              check(
                calls.delimitedInit(wild ? number : below(6), below(4) === 0 ? number : 0x2c),
                STATUS_OK,
                STATUS_BAD_CONFIG,
              );
            break;
          default: {
            const region = calls.jsonBuffer(ABI.JSON_BUFFER_REGION, 0) >>> 0;
            const bytes = new Uint8Array(memory.buffer, region, ABI.JSON_REGION_BYTES_MAX);
            let at = 0;
            for (let p = 0; p < 30; p++) {
              const piece = PIECES[below(PIECES.length)] as Uint8Array;
              bytes.set(piece, at);
              at += piece.length;
              if (below(9) === 0) bytes[below(at)] = below(256);
            }
            const address = calls.jsonBuffer(ABI.JSON_BUFFER_LENGTHS, 0) >>> 0;
            const lengths = new Int32Array(memory.buffer, address, ABI.JSON_ROWS_MAX);
            for (let row = 0; row < 20; row++)
              lengths[row] = below(2000) === 0 ? below(2 ** 32) : below(40) - 1;
            const count = wild ? number : below(20);
            check(calls.jsonDecode(count), STATUS_OK, STATUS_BAD_ARGUMENT, STATUS_NOT_READY);
            const status = calls.jsonBuffer(ABI.JSON_BUFFER_STATUS, 0) >>> 0;
            for (const one of new Uint8Array(memory.buffer, status, 20)) seen.add(one);
          }
        }
      }
      expect(wrong).toEqual([]);
      expect(memory.buffer.byteLength).toBeLessThanOrEqual(JSON_MEMORY_BYTES_MAX);
    }),
    { numRuns: Math.ceil(FUZZ_CALLS / CALLS_A_RUN) },
  );
  // Most texts are nonsense: how many kinds of refusal a share of the calls meets is chance, but never only one.
  expect(seen.size).toBeGreaterThan(2);
  expect(Math.max(...seen)).toBeLessThanOrEqual(ABI.JSON_DECLINED_FULL);
});

test('what stands behind the records has no influence on them', () => {
  const records = [
    '{"S":"a',
    '{"S":"a"',
    '{"S":"a"}',
    '{"D":1',
    '{"x":[[1',
    '{"S":nul',
    '{"S"',
    '{"D":1e',
    '{"S":"\\u00',
    '{',
  ];
  for (const record of records) {
    const results = ['', '"', '}', '"}', '1}', ']]}', 'l}', ':1}', '5}', '"x":1}', '   '].map(
      (behind) => {
        const kernel = kernelOf();
        // The bytes stand in the region from before; the record's own come over them.
        decoded(kernel, [`${' '.repeat(record.length)}${behind}`]);
        const statuses = decoded(kernel, [record]);
        const cut = decoded(kernel, [record, behind]);
        return `${statuses[0]} ${cut[0]}`;
      },
    );
    expect(new Set(results).size).toBe(1);
  }
});

test('each prefix and each flipped bit of a record is decided as its text, or declined', () => {
  const kernel = kernelOf();
  const whole = encodeUtf8(
    '{"S":"text é \\n","I":17,"x":[1,{"y":null}],"D":-2.5e3,"T":false,"B":12}',
  );
  const prefixes = Array.from(whole, (_, length) => whole.slice(0, length));
  // What ends early is never decided, though its walk may come upon another fault first.
  const ends = new Set(decoded(kernel, prefixes));
  expect([ends.has('ok'), ends.has('null'), ends.has('syntax')]).toEqual([false, false, true]);
  const flipped = Array.from({ length: whole.length * 8 }, (_, bit) => {
    const bytes = whole.slice();
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    return bytes;
  });
  const statuses = decoded(kernel, flipped);
  const columns = kernel.columns();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  statuses.forEach((status, row) => {
    if (status !== 'ok') return;
    const parsed = JSON.parse(decoder.decode(flipped[row])) as Record<string, unknown>;
    const of = (name: string) => parsed[name] ?? parsed[name.toLowerCase()] ?? null;
    const got = columns.map((column) => valueAt(column, row));
    const due = ['S', 'I', 'B', 'D', 'T'].map((name) =>
      name === 'B' && of(name) !== null ? BigInt(of(name) as number) : of(name),
    );
    expect(got).toEqual(due);
  });
  expect(columns[0]?.validity === null || bitAt(columns[0]?.validity ?? new Uint8Array(0), 0)).toBe(
    true,
  );
});
