// Storage of objects, bytes to put into it, and waits for what they do, for tests within workerd.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { COMES_MS } from '../support/waits.ts';

const REST_MS = 10;

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

/** Looks again and again until it holds. @param found what the error is to tell of how it stands instead */
export async function until(
  holds: () => boolean | Promise<boolean>,
  found: () => string | Promise<string> = () => '',
): Promise<void> {
  const endMs = Date.now() + COMES_MS;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`it did not come to this in time: ${await found()}`);
    await scheduler.wait(REST_MS);
  }
}
