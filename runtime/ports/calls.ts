// Calls of an object on the other side of a transport, and their answers or errors; knows no method.

import type { Transport } from './transport.ts';
import { fromWire, toWire, type WireError } from './wire-error.ts';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly given: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError };

type Method = (...given: never) => Promise<unknown>;

/** The names of the methods that can be called from the other side: those whose answer is waited for. */
export type MethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends Method ? Name & string : never;
}[keyof Target];

type Given<Member> = Member extends (...given: infer Values) => unknown ? Values : never;
type Answered<Member> = Member extends (...given: never) => Promise<infer Value> ? Value : never;

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

interface Waiting {
  // `resolve` of a promise for what one method answers; which one, the id says.
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The near side: calls, each with its answer. */
export class Calls<Target> {
  readonly #transport: Transport;
  readonly #waiting = new Map<number, Waiting>();
  #made = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.receive((message) => {
      const answer = message as Answer;
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(fromWire(answer.error));
      else waiting?.resolve(answer.value as never);
    });
  }

  /**
   * Calls a method of the far side.
   * @param transfer what leaves this side with the call
   * @param mayWait as `Transport.send`
   * @throws what the method throws; what the transport refuses to send; what `end` was given
   */
  call<Name extends MethodName<Target>>(
    method: Name,
    given: Given<Target[Name]>,
    transfer?: readonly Transferable[],
    mayWait?: boolean,
  ): Promise<Answered<Target[Name]>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#made;
      this.#transport.send({ id, method, given } satisfies Call, transfer, mayWait);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** The far side is no more: refuses the calls that wait. */
  end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
