// Calls over a transport: each answer comes to its call, errors keep what they are, buffers leave with what they belong to.

import { expect, test } from 'vitest';
import { LimitError, StatementError } from '../../../runtime/base/errors.ts';
import { answerCalls, HandingOver } from '../../../runtime/ports/answers.ts';
import { Calls } from '../../../runtime/ports/calls.ts';
import { queueTransportPair } from '../../../runtime/memory/queue-transport.ts';

class Far {
  readonly #release: (() => void)[] = [];
  handed: ArrayBuffer | null = null;
  given: ArrayBuffer | null = null;

  async after(value: string): Promise<string> {
    await new Promise<void>((resolve) => this.#release.push(resolve));
    return value;
  }

  /** Answers the calls that wait, the last one first. */
  async release(): Promise<number> {
    const count = this.#release.length;
    while (this.#release.length > 0) {
      this.#release.pop()?.();
      await Promise.resolve();
    }
    return count;
  }

  async refuse(hint: string): Promise<never> {
    throw new StatementError('INVALID', 'no', { line: 2, column: 3 }, hint);
  }

  async bytes(length: number): Promise<HandingOver<Uint8Array>> {
    const bytes = new Uint8Array(length).fill(7);
    this.handed = bytes.buffer;
    return new HandingOver(bytes, [bytes.buffer]);
  }

  async take(buffer: ArrayBuffer): Promise<void> {
    this.given = buffer;
  }

  async unsendable(): Promise<() => void> {
    return () => undefined;
  }
}

class FarRarely {
  readonly #sum = 3;

  async plus(more: number): Promise<number> {
    return this.#sum + more;
  }
}

function connected(): { readonly far: Far; readonly calls: Calls<Far & FarRarely> } {
  const [near, other] = queueTransportPair();
  const far = new Far();
  answerCalls(other, far, async () => new FarRarely());
  return { far, calls: new Calls<Far & FarRarely>(near) };
}

test('each answer comes to its call, in whatever order the answers come', async () => {
  const { calls } = connected();
  const answers = Promise.all(['a', 'b', 'c'].map((value) => calls.call('after', [value])));
  expect(await calls.call('release', [])).toBe(3);
  expect(await answers).toEqual(['a', 'b', 'c']);
});

test('what the one object does not have the other one is asked', async () => {
  const { calls } = connected();
  expect(await calls.call('plus', [4])).toBe(7);
});

test('what the far side throws is thrown here, with all that it says', async () => {
  const { calls } = connected();
  await expect(calls.call('refuse', ['look'])).rejects.toEqual(
    new StatementError('INVALID', 'no', { line: 2, column: 3 }, 'look'),
  );
});

test('buffers leave the side that they are handed over from', async () => {
  const { far, calls } = connected();
  expect(await calls.call('bytes', [3])).toEqual(Uint8Array.of(7, 7, 7));
  expect(far.handed?.byteLength).toBe(0);
  const buffer = new ArrayBuffer(8);
  await calls.call('take', [buffer], [buffer]);
  expect(buffer.byteLength).toBe(0);
  expect(far.given?.byteLength).toBe(8);
});

test('what cannot be sent is refused, there or here, and later calls go on', async () => {
  const { calls } = connected();
  await expect(calls.call('unsendable', [])).rejects.toThrow(/could not be cloned/);
  const given = (() => undefined) as unknown as string;
  await expect(calls.call('after', [given])).rejects.toThrow(/could not be cloned/);
  expect((await calls.call('bytes', [1])).length).toBe(1);
});

test('the end refuses the calls that wait', async () => {
  const { calls } = connected();
  const waiting = calls.call('after', ['never']);
  calls.end(new LimitError('rows', 'over'));
  await expect(waiting).rejects.toEqual(new LimitError('rows', 'over'));
});
