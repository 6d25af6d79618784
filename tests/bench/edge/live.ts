// A thousand sockets: how late each change comes, how long an append takes beside them, and whether they cost nothing while idle.

import type { Workerd } from '../../support/workerd.ts';
import { Load, quantile } from './load.ts';
import { processorMs } from './machine.ts';
import { requestBytes } from './raw-http.ts';
import { RawSocket } from './raw-socket.ts';
import { figure, type Rounds } from './rounds.ts';

const SOCKETS = 1_000;
/** Of each all sockets are late together: of fewer the 99th percentile would be the one that something else came between. */
const CHANGES = 200;
/** Changes before those that count: what is compiled at first is no part of a figure. */
const WARM_CHANGES = 10;
const CHANGE_EVERY_MS = 100;
/** The platform lets an object go that has been idle for ten seconds. */
const IDLE_MS = 14_000;
const CREDIT_BYTES = 4_194_304;
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** @param edge runs tests/workers/bench/edge.ts */
export async function liveCases(edge: Workerd): Promise<Rounds> {
  const port = Number(new URL(edge.url).port);
  const load = await Load.open(port, 1);
  await load.one(requestBytes('POST', '/topics', '{"name":"live"}', JSON_TYPE), 201);
  const sockets: RawSocket[] = [];
  const lateMs: number[] = [];
  let received = 0;
  let sentAt = 0;
  for (let i = 0; i < SOCKETS; i++) {
    const socket = await RawSocket.open(port, '/socket');
    const subscribed = new Promise<void>((resolve) => {
      socket.onText = () => resolve();
    });
    socket.onBinary = () => {
      received += 1;
      lateMs.push(performance.now() - sentAt);
    };
    const place = { topic: 'live', partition: 0, offset: 'latest' };
    socket.send({ op: 'subscribe', id: 1, ...place, credit: CREDIT_BYTES });
    await subscribed;
    sockets.push(socket);
  }
  const append = requestBytes(
    'POST',
    '/topics/live/records',
    '{"records":[{"value":1}]}',
    JSON_TYPE,
  );
  const ackMs: number[] = [];
  const change = async (): Promise<void> => {
    const wanted = received + SOCKETS;
    sentAt = performance.now();
    await load.one(append, 200);
    ackMs.push(performance.now() - sentAt);
    for (;;) {
      if (received >= wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const begun = async (): Promise<number> => {
    const counts = await load.one(requestBytes('GET', '/bench/counts'), 200);
    return (JSON.parse(counts.toString()) as { relaysBegun: number }).relaysBegun;
  };
  for (let i = 0; i < WARM_CHANGES; i++) await change();
  lateMs.length = 0;
  ackMs.length = 0;
  const processor = processorMs(edge.pid);
  for (let i = 0; i < CHANGES; i++) {
    await change();
    await new Promise((resolve) => setTimeout(resolve, CHANGE_EVERY_MS));
  }
  const changeMs = (processorMs(edge.pid) - processor) / CHANGES;
  const before = await begun();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const [late, acks] = [[...lateMs], [...ackMs]];
  // It reaches all of them, through relays that were gone from memory.
  await change();
  const woken = (await begun()) - before;
  for (const socket of sockets) socket.close();
  load.close();
  const name = `${SOCKETS} live sockets`;
  return {
    results: [
      figure(`append beside ${name}: p50`, 'ms', quantile(acks, 0.5)),
      figure(`append beside ${name}: p99`, 'ms', quantile(acks, 0.99)),
      figure(`change at ${name}: p50`, 'ms', quantile(late, 0.5)),
      figure(`change at ${name}: p99`, 'ms', quantile(late, 0.99)),
      figure(`change at ${name}: the server's time`, 'ms', changeMs),
      figure(`${SOCKETS} idle sockets: relays that hibernated`, 'relays', woken),
    ],
    ratios: [],
  };
}
