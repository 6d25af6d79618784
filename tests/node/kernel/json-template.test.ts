// Records that are laid out alike, decoded by kernels that compare whole stretches, and by one that walks each: the same rows.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
} from '../../../runtime/data/type.ts';
import { JSON_OK } from '../../../runtime/kernel/json-abi.ts';
import { JsonKernel } from '../../../runtime/kernel/json-instance.ts';
import type { DecodedColumn } from '../../../runtime/kernel/json-nodes.ts';
import { type Draw, draws } from '../../support/draws.ts';
import { textOf } from '../../support/json-readers.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { walkingDecoder } from '../../support/walking-decoder.ts';

const COLUMNS: readonly DecodedColumn[] = [
  { name: 'S', type: STRING },
  { name: 'I', type: INTEGER },
  { name: 'B', type: BIGINT },
  { name: 'D', type: DOUBLE },
  { name: 'T', type: BOOLEAN },
  { name: 'AT', type: TIMESTAMP },
  { name: 'TI', type: TIME },
  { name: 'F', type: DOUBLE, path: ['IN', 'F'] },
  { name: 'G', type: STRING, path: ['IN', 'G'] },
  { name: 'H', type: { kind: 'ARRAY', item: STRING }, path: ['IN', 'H'] },
  { name: 'OTHER', type: { kind: 'ARRAY', item: STRING } },
  { name: 'MORE', type: { kind: 'DECIMAL', precision: 30, scale: 12 } },
];
/** `MILLRACE_FUZZ_RUNS=2000` looks for longer. */
const RUNS = Number(process.env['MILLRACE_FUZZ_RUNS'] ?? 40);
const RECORDS = 200;

function digits(draw: Draw, length: number): string {
  return Array.from({ length }, (_, i) => (i === 0 ? 1 + draw(9) : draw(10))).join('');
}

const ODD_NUMBERS = ['0', '-0', '0.0', '00', '01', '1.', '.5', '-', '1e', '9007199254740993'];

/** By kind of value one of so many digits or letters. */
const VALUES: readonly ((draw: Draw, length: number) => string)[] = [
  (draw, length) => digits(draw, length),
  (draw, length) => `-${digits(draw, length)}`,
  (draw, length) => `${draw(10)}.${digits(draw, length)}`,
  (draw, length) => `-${digits(draw, 1 + (length & 3))}.${digits(draw, length)}`,
  (draw, length) =>
    `"${Array.from({ length }, () => String.fromCharCode(0x5d + draw(33))).join('')}"`,
  (draw, length) => `"${'ab\\né😀\\u00e9 '.slice(0, length)}${digits(draw, 2)}"`,
  (draw) => ['true', 'false'][draw(2)] as string,
  () => 'null',
  (draw, length) => `[${digits(draw, length)},{"a":"${digits(draw, 1)}"}]`,
  (draw, length) => `${digits(draw, 1)}e${length & 7}`,
  (draw) => ODD_NUMBERS[draw(ODD_NUMBERS.length)] as string,
];
const FITTING: Readonly<Record<string, readonly number[]>> = {
  S: [4, 4, 4, 5],
  G: [4, 4, 5],
  I: [0, 1],
  B: [0, 1],
  AT: [0, 1],
  TI: [0],
  D: [0, 1, 2, 3, 9],
  F: [2, 3],
  T: [6],
  H: [7, 8, 8],
  other: [7, 8, 8],
  more: [0, 2, 3, 9],
};
const NAMES = [
  'S',
  'I',
  'B',
  'D',
  'T',
  'AT',
  'TI',
  'IN',
  'other',
  'more',
  'a name of its own, which is long',
];

interface Member {
  readonly name: string;
  readonly kind: number;
  readonly length: number;
  readonly varies: boolean;
  readonly space: string;
  readonly inner: readonly Member[] | null;
}

function membersOf(draw: Draw, names: readonly string[]): Member[] {
  const taken = names.filter(() => draw(3) > 0);
  return taken.map((name) => {
    const fitting = FITTING[name];
    const any = fitting === undefined || draw(50) === 0;
    return {
      name,
      kind: any ? draw(VALUES.length) : (fitting[draw(fitting.length)] as number),
      length: 1 + draw(name === 'I' ? 10 : name === 'TI' ? 8 : draw(4) === 0 ? 40 : 16),
      varies: draw(3) === 0,
      space: draw(5) === 0 ? ' ' : '',
      inner: name === 'IN' && draw(4) > 0 ? membersOf(draw, ['F', 'G', 'H']) : null,
    };
  });
}

function recordOf(draw: Draw, members: readonly Member[]): string {
  const texts = members.map(({ name, kind, length, varies, space, inner }) => {
    const other = draw(60) === 0;
    const make = VALUES[other ? draw(VALUES.length) : kind] as (typeof VALUES)[number];
    const value =
      inner === null || other ? make(draw, varies ? 1 + draw(16) : length) : recordOf(draw, inner);
    return `"${name}":${space}${value}${space}`;
  });
  return `{${texts.join(',')}}`;
}

const NUMBERS = /(?<=: ?)-?\d[\d.]*/gu;

/** Some of the numbers are none, or stand at the edge of what is one. */
function oddly(draw: Draw, number: string): string {
  if (draw(3) > 0) return number;
  return draw(2) === 0 ? `0${number.slice(1)}` : (ODD_NUMBERS[draw(ODD_NUMBERS.length)] as string);
}

/** Records of one layout, then of another, some of them spoilt in a byte or in length. */
function recordsOf(draw: Draw): Uint8Array[] {
  let members = membersOf(draw, NAMES);
  const prefix = draw(4) === 0;
  return Array.from({ length: RECORDS }, () => {
    if (draw(80) === 0) members = membersOf(draw, NAMES);
    const given = draw(40) === 0 ? members.filter(() => draw(8) > 0) : members;
    const good = recordOf(draw, given);
    const spoilt = draw(8) === 0 ? good.replaceAll(NUMBERS, (number) => oddly(draw, number)) : good;
    const text = encodeUtf8(`${prefix ? '\0\0\0\0\u0007' : ''}${spoilt}`);
    const bytes = draw(9) === 0 ? text.slice(0, text.length - draw(2)) : text;
    if (draw(6) === 0 && bytes.length > 0)
      bytes[draw(bytes.length)] = [
        0, 0x1f, 0x22, 0x5c, 0x2c, 0x2d, 0x30, 0x39, 0x7f, 0x80, 0xc3, 0x7d,
      ][draw(12)] as number;
    return bytes;
  });
}

interface Row {
  readonly status: number;
  readonly text: string;
}

function rowsOf(kernel: JsonKernel, records: readonly Uint8Array[]): Row[] {
  const bytes = new Uint8Array(Buffer.concat(records));
  const lengths = Int32Array.from(records, ({ length }) => length);
  const statuses = kernel.decode(bytes, 0, lengths).slice();
  const columns = kernel.columns();
  return Array.from(statuses, (status, row) => ({
    status,
    text:
      status === JSON_OK ? columns.map((column) => textOf(valueAt(column, row))).join(' | ') : '',
  }));
}

/** As text, which is many times faster to compare, and shows the record beside its row. */
function shown(rows: readonly Row[], records: readonly Uint8Array[]): string {
  return rows
    .map(({ status, text }, i) => `${status} ${text} <- ${decodeUtf8(records[i] as Uint8Array)}`)
    .join('\n');
}

test.each([
  ['the whole kernel', kernelModule()],
  ['that of pages', kernelModule('json')],
])(
  'records that are like those before them are decoded as if each were alone: %s',
  async (_, module) => {
    const walk = await walkingDecoder();
    let like = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const draw = draws(seed);
        const whole = new JsonKernel(module, COLUMNS);
        const walking = new JsonKernel(walk, COLUMNS);
        const records = recordsOf(draw);
        for (let from = 0; from < records.length; from += 50) {
          const chunk = records.slice(from, from + 50);
          const rows = rowsOf(whole, chunk);
          expect(shown(rows, chunk)).toBe(shown(rowsOf(walking, chunk), chunk));
          like += rows.filter(({ status }) => status === JSON_OK).length;
        }
      }),
      { numRuns: RUNS },
    );
    // Many are good, or nothing would be compared.
    expect(like).toBeGreaterThan((RUNS * RECORDS) / 10);
  },
);
