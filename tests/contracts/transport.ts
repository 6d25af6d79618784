// What every transport adapter must do; knows no adapter.

import { describe, expect, test } from 'vitest';
import type { Message, Transport } from '../../runtime/ports/transport.ts';

/** @param make two connected ends */
export function describeTransport(
  name: string,
  make: () => Promise<readonly [Transport, Transport]>,
): void {
  describe(`${name} is a transport`, () => {
    /** The next messages that an end receives. */
    const received = (end: Transport, count: number): Promise<Message[]> =>
      new Promise((resolve) => {
        const messages: Message[] = [];
        const unsubscribe = end.receive((message) => {
          messages.push(message);
          if (messages.length < count) return;
          unsubscribe();
          resolve(messages);
        });
      });

    test('carries messages both ways, in order', async () => {
      const [left, right] = await make();
      const atRight = received(right, 3);
      const atLeft = received(left, 1);
      for (const n of [1, 2, 3]) left.send({ n });
      right.send('back');
      expect(await atRight).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      expect(await atLeft).toEqual(['back']);
    });

    test('gives the receiver a message of its own', async () => {
      const [left, right] = await make();
      const message = { list: [1], bytes: Uint8Array.of(1) };
      const at = received(right, 1);
      left.send(message);
      message.list.push(2);
      message.bytes[0] = 9;
      expect(await at).toEqual([{ list: [1], bytes: Uint8Array.of(1) }]);
    });

    test('hands buffers over that are to be transferred', async () => {
      const [left, right] = await make();
      const { buffer } = Uint8Array.of(1, 2, 3);
      const at = received(right, 1);
      left.send({ buffer }, [buffer]);
      expect(buffer.byteLength).toBe(0);
      const [message] = (await at) as [{ buffer: ArrayBuffer }];
      expect(new Uint8Array(message.buffer)).toEqual(Uint8Array.of(1, 2, 3));
    });

    test('is silent to those who have unsubscribed', async () => {
      const [left, right] = await make();
      const heard: Message[] = [];
      right.receive((message) => heard.push(message))();
      const at = received(right, 1);
      left.send('one');
      await at;
      expect(heard).toEqual([]);
    });
  });
}
