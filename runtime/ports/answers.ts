// Answers calls of an object from the other side of a transport (calls.ts); knows no method.

import type { Transport } from './transport.ts';
import { toWire, type WireError } from './wire-error.ts';

/** A call on its way. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly given: readonly unknown[];
}

/** Its answer. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError };

/** Buffers that go over with the answer that they belong to. What is here is plain data that nobody holds. */
const handed = new WeakMap<object, readonly ArrayBuffer[]>();

/** The answer, whose buffers leave this side with it, and which may wait for others of the same turn. */
export function handingOver<Value extends object>(
  value: Value,
  buffers: readonly ArrayBuffer[],
): Value {
  handed.set(value, buffers);
  return value;
}

/**
 * Answers every call that comes with what the target's method gives or throws.
 * @param rarer gives the object whose methods are called that the target does not have
 */
export function answerCalls(
  transport: Transport,
  target: object,
  rarer?: () => Promise<object>,
): void {
  type Methods = Readonly<Record<string, (...given: unknown[]) => Promise<unknown>>>;
  const answer = async ({ id, method, given }: Call): Promise<void> => {
    try {
      const methods = (method in target ? target : await rarer?.()) as Methods | undefined;
      const value = await methods?.[method]?.(...given);
      const buffers = handed.get(Object(value));
      transport.send({ id, value } satisfies Answer, buffers, buffers !== undefined);
    } catch (thrown) {
      transport.send({ id, error: toWire(thrown) } satisfies Answer);
    }
  };
  transport.receive((message) => void answer(message as Call));
}
