// Bytes, hashes and checksums against their vectors and against the platform.

import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../runtime/base/base64.ts';
import {
  ByteReader,
  ByteWriter,
  decodeUtf8,
  encodeUtf8,
  exactly,
  isUtf8,
} from '../../../runtime/base/bytes.ts';
import { compareBytes, concatBytes } from '../../../runtime/base/byte-arrays.ts';
import { crc32c } from '../../../runtime/base/crc32c.ts';
import { PortError } from '../../../runtime/base/errors.ts';
import { murmur2, partitionOf } from '../../../runtime/base/hash.ts';

const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 40 }));

test('text and UTF-8 agree with the platform', () => {
  fc.assert(
    fc.property(text, text, (before, value) => {
      const bytes = Uint8Array.from(Buffer.from(value.toWellFormed()));
      expect(encodeUtf8(value)).toEqual(bytes);
      expect(decodeUtf8(bytes)).toBe(value.toWellFormed());
      const to = new ByteWriter(0);
      to.utf8(before);
      const at = to.position;
      to.utf8(value);
      expect(to.finish().subarray(at)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('isUtf8 agrees with the platform', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.nat(8), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      const valid =
        thrown(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start))) ===
        null;
      expect(isUtf8(bytes, start)).toBe(valid);
    }),
    { numRuns: 2000 },
  );
});

function thrown(call: () => unknown): unknown {
  try {
    call();
    return null;
  } catch (error) {
    return error;
  }
}

test('base64 agrees with the platform, padded or not', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const encoded = Buffer.from(bytes).toString('base64');
      expect(encodeBase64(bytes)).toBe(encoded);
      expect(decodeBase64(encoded)).toEqual(bytes);
      expect(decodeBase64(encoded.replaceAll('=', ''))).toEqual(bytes);
    }),
  );
  for (const wrong of ['A', '=', 'AA=A', 'A\u00e9==', 'AAA==', '===='])
    expect(decodeBase64(wrong)).toBeNull();
});

test('bytes order as unsigned numbers, a beginning before the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      expect(concatBytes([a, b])).toEqual(Uint8Array.from(Buffer.concat([a, b])));
    }),
  );
});

test('a reader gives what a writer took and never reads beyond its end', () => {
  const to = new ByteWriter(1);
  to.u8(200);
  to.u16(60_000);
  to.u32(4_000_000_000);
  to.i32(-5);
  to.i64(-(2n ** 63n));
  to.f64(-0.1);
  to.u32BE(1);
  to.i64BE(-1n);
  to.f64BE(1.5);
  to.pad8();
  expect(to.position % 8).toBe(0);
  const from = new ByteReader(to.finish());
  expect([from.u8(), from.u16(), from.u32(), from.i32(), from.i64(), from.f64()]).toEqual([
    200,
    60_000,
    4_000_000_000,
    -5,
    -(2n ** 63n),
    -0.1,
  ]);
  expect([from.u32BE(), from.i64BE(), from.f64BE()]).toEqual([1, -1n, 1.5]);
  expect(() => from.view(from.remaining + 1)).toThrow(PortError);
  expect(() => from.take(-1)).toThrow(PortError);
  expect(() => from.finish()).toThrow('too many');
});

test("murmur2 is Kafka's", () => {
  const vectors = [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['abc', 479_470_107],
  ] as const;
  for (const [key, hash] of vectors) {
    expect(murmur2(encodeUtf8(key))).toBe(hash);
    expect(murmur2(encodeUtf8(`x${key}y`), 1, key.length + 1)).toBe(hash);
    expect(partitionOf(encodeUtf8(key), 7)).toBe((hash & 0x7fffffff) % 7);
  }
});

test('crc32c is Castagnoli, whole or in parts', () => {
  expect(crc32c(encodeUtf8('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, cut) => {
      const at = Math.min(cut, bytes.length);
      expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(bitwise(bytes));
    }),
  );
});

/** The sum bit by bit, as the polynomial defines it. */
function bitwise(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) * 0x82f63b78);
  }
  return ~sum >>> 0;
}

test('the bytes of a writer that nobody wrote to may be sent away, and other writers write on', () => {
  const empty = new ByteWriter(64);
  for (const bytes of [empty.written(), empty.finish(), exactly(empty)]) {
    structuredClone(bytes, { transfer: [bytes.buffer] });
    expect(bytes.byteLength).toBe(0);
  }
  const other = new ByteWriter(64);
  other.u32(7);
  expect([...other.written()]).toEqual([7, 0, 0, 0]);
});

test('a short text is what its bytes say, whatever of its length came before', () => {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (const rest of ['', '~', 'ä', '€', '😀', '\0']) {
    for (let length = 0; length <= 30; length++) {
      for (const text of [rest + 'x'.repeat(length), '0'.repeat(length) + rest]) {
        const bytes = encoder.encode(text);
        expect(decodeUtf8(bytes)).toBe(text);
        // Cut within a character, where it ends in one.
        const to = Math.max(0, bytes.length - 1);
        expect(decodeUtf8(bytes, 0, to)).toBe(decoder.decode(bytes.subarray(0, to)));
      }
    }
  }
});
