// Sockets that watch a topic, one of which does not read: how late each change comes to the others; knows no load.

import { Load, quantile } from '../bench/edge/load.ts';
import { requestBytes } from '../bench/edge/raw-http.ts';
import { RawSocket } from '../bench/edge/raw-socket.ts';

const WATCHERS = 50;
const CHANGES = 100;
const CREDIT_BYTES = 4_194_304;
/** Together half of a credit: what the one that does not read is sent lies at the edge. */
const VALUE = 'x'.repeat(20_000);
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** @returns how late a change comes at p99, in ms, without and beside a socket whose client reads nothing */
export async function lateness(
  port: number,
): Promise<{ readonly aloneMs: number; readonly besideMs: number }> {
  const load = await Load.open(port, 1);
  await load.one(requestBytes('POST', '/topics', '{"name":"watched"}', JSON_TYPE), 201);
  const sockets: RawSocket[] = [];
  let received = 0;
  let sentAt = 0;
  let lateMs: number[] = [];
  const watch = async (reads: boolean): Promise<void> => {
    const socket = await RawSocket.open(port, '/socket');
    const subscribed = new Promise<void>((resolve) => {
      socket.onText = () => resolve();
    });
    const place = { topic: 'watched', partition: 0, offset: 'latest' };
    socket.send({ op: 'subscribe', id: 1, ...place, credit: CREDIT_BYTES });
    await subscribed;
    sockets.push(socket);
    if (!reads) {
      socket.pause();
      return;
    }
    socket.onBinary = (bytes) => {
      received += 1;
      lateMs.push(performance.now() - sentAt);
      socket.send({ op: 'credit', id: 1, bytes: bytes.length });
    };
  };
  const append = requestBytes(
    'POST',
    '/topics/watched/records',
    JSON.stringify({ records: [{ value: VALUE }] }),
    JSON_TYPE,
  );
  const measured = async (): Promise<number> => {
    lateMs = [];
    for (let i = 0; i < CHANGES; i++) {
      const wanted = received + WATCHERS;
      sentAt = performance.now();
      await load.one(append, 200);
      for (;;) {
        if (received >= wanted) break;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    return quantile(lateMs, 0.99);
  };
  for (let i = 0; i < WATCHERS; i++) await watch(true);
  await measured();
  const aloneMs = await measured();
  await watch(false);
  const besideMs = await measured();
  for (const socket of sockets) socket.close();
  load.close();
  return { aloneMs, besideMs };
}
