// What formats bytes are taken for, alone and together.

import { expect, test } from 'vitest';
import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { Recognizer } from '../../../runtime/formats/recognize.ts';
import { writeSession, writeTimeWindow } from '../../../runtime/formats/windowed-key.ts';

function written(write: (to: ByteWriter) => void): Uint8Array {
  const to = new ByteWriter();
  write(to);
  return to.finish();
}

const text = (of: string) => encodeUtf8(of);
const bigint = (of: bigint) => written((to) => to.i64BE(of));

function recognized(part: 'key' | 'value', ...values: readonly (Uint8Array | null)[]) {
  const recognizer = new Recognizer(part);
  for (const value of values) recognizer.add(value);
  return [recognizer.formats, values.map((value) => recognizer.show(value))] as const;
}

test.each([
  ['JSON or KAFKA_STRING', ['{"a":1}'], [text('{"a":1}')]],
  ['KAFKA_STRING', ['{"a":1}', 'x,y'], [text('{"a":1}'), text('x,y')]],
  ['KAFKA_INT', ['-2'], [written((to) => to.u32BE(0xffff_fffe))]],
  ['KAFKA_BIGINT or KAFKA_DOUBLE', ['300'], [bigint(300n)]],
  ['KAFKA_STRING', ['a\tb\nc'], [text('a\tb\nc')]],
  ['MIXED or unknown', ['0xff'], [new Uint8Array([0xff])]],
  ['MIXED or unknown', ['300', 'word'], [bigint(300n), text('word')]],
  ['unknown, no data yet', ['<null>'], [null]],
] as const)('values are taken for %s', (formats, shown, values) => {
  expect(recognized('value', ...values)).toEqual([formats, shown]);
});

test('keys may carry a window behind them', () => {
  const time = written((to) => {
    to.utf8('ann');
    writeTimeWindow(to, 60_000n);
  });
  const session = written((to) => {
    to.utf8('ann');
    writeSession(to, { startMs: 5n, endMs: 9n });
  });
  expect(recognized('key', time)).toEqual([
    'TUMBLING, HOPPING or SLIDING(KAFKA_STRING)',
    ['[ann@60000/-]'],
  ]);
  expect(recognized('key', session)[0]).toBe('SESSION(KAFKA_STRING)');
  expect(recognized('key', session)[1]).toEqual(['[ann@5/9]']);
  expect(recognized('value', time)[0]).toBe('MIXED or unknown');
});

test('long text is no windowed key', () => {
  expect(recognized('key', text('a-very-long-key-of-letters'))[0]).toBe('KAFKA_STRING');
});
