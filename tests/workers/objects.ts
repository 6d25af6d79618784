// Storage of objects, and bytes to put into it, for the tests of what lies on it.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { compareBytes } from '../../runtime/base/byte-arrays.ts';

/** Runs `body` in an object of that name, on its storage. */
export async function inObject<T>(
  name: string,
  body: (storage: DurableObjectStorage) => Promise<T>,
): Promise<T> {
  const stub = env.PROCESSOR.get(env.PROCESSOR.idFromName(name));
  return runInDurableObject(stub, (_object, state) => body(state.storage));
}

/** Bytes that differ along their way. */
export function filled(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 10) + seed) & 255;
  return bytes;
}

/** Quicker than a comparison that could show where they differ. */
export function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : compareBytes(a, b) === 0;
}
