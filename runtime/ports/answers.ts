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

/** What a method gives whose buffers leave this side with it, and which may wait for others of the same turn: plain data that nobody holds. */
export class HandingOver<Value> {
  readonly value: Value;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: Value, buffers: readonly ArrayBuffer[] = []) {
    this.value = value;
    this.buffers = buffers;
  }
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
      if (value instanceof HandingOver)
        transport.send({ id, value: value.value } satisfies Answer, value.buffers, true);
      else transport.send({ id, value } satisfies Answer);
    } catch (thrown) {
      transport.send({ id, error: toWire(thrown) } satisfies Answer);
    }
  };
  transport.receive((message) => void answer(message as Call));
}
