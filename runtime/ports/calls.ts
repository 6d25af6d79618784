// Calls of an object on the other side of a transport, which answers them (answers.ts); knows no method.

import type { Answer, Call, HandingOver } from './answers.ts';
import { fromWire } from './from-wire.ts';
import type { Handed, Transport } from './transport.ts';

type Method = (...given: never) => Promise<unknown>;

/** The names of the methods that can be called from the other side: those whose answer is waited for. */
export type MethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends Method ? Name & string : never;
}[keyof Target];

type Given<Member> = Member extends (...given: infer Values) => unknown ? Values : never;
type Answered<Member> = Member extends (...given: never) => Promise<infer Value>
  ? Value extends HandingOver<infer Handed>
    ? Handed
    : Value
  : never;

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
    transfer?: readonly Handed[],
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
