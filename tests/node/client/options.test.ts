// Options of the client as callers without types give them: what is none is refused at once and by its name, before anything is sent.

import { expect, test } from 'vitest';
import { checkOptions } from '../../../runtime/base/options.ts';
import { connect, type Client } from '../../../runtime/client/index.ts';

/** Whatever a caller without types gives. */
type Loose = Record<string, (...given: unknown[]) => unknown>;

let sent = 0;
function client(): Client {
  return connect({
    url: 'http://edge.example',
    fetch: () => {
      sent += 1;
      return Promise.reject(new Error('nothing may be sent'));
    },
    deadlineMs: 100,
  });
}

/** What a call throws or rejects with, having sent nothing. */
async function refusal(call: () => unknown): Promise<unknown> {
  sent = 0;
  const refused = await (async () => call())().catch((thrown: unknown) => thrown);
  expect(sent).toBe(0);
  return refused;
}

const START = "'earliest' | 'latest' | number | { timestamp }";

test.each<[message: string, call: string, given: unknown[]]>([
  [`consumer: from is ${START}, not '3'`, 'consumer', [{ topic: 't', from: '3' }]],
  [`consumer: from is ${START}, not -1`, 'consumer', [{ topic: 't', from: -1 }]],
  [`consumer: from is ${START}, not NaN`, 'consumer', [{ topic: 't', from: NaN }]],
  [`consumer: from is ${START}, not null`, 'consumer', [{ topic: 't', from: null }]],
  [`consumer: from is ${START}, not bigint`, 'consumer', [{ topic: 't', from: 3n }]],
  [`consumer: from is ${START}, not object`, 'consumer', [{ topic: 't', from: new Date(5) }]],
  [
    `consumer: from is ${START}, not object`,
    'consumer',
    [{ topic: 't', from: { timestamp: '5' } }],
  ],
  ["consumer: partition is number | 'all', not '0'", 'consumer', [{ topic: 't', partition: '0' }]],
  [
    "consumer: transport is 'poll' | 'socket', not 'sse'",
    'consumer',
    [{ topic: 't', transport: 'sse' }],
  ],
  [
    "consumer: reset is 'fail' | 'earliest' | 'latest', not 'none'",
    'consumer',
    [{ topic: 't', reset: 'none' }],
  ],
  [
    "consumer has no option 'fromm', but topic, partition, from, incarnation, reset, transport, signal",
    'consumer',
    [{ topic: 't', fromm: 3 }],
  ],
  ["consumer has no option 'constructor', but", 'consumer', [{ topic: 't', constructor: 3 }]],
  ['consumer: topic is string, not undefined', 'consumer', [{}]],
  ["consumer takes an object, not 't'", 'consumer', ['t']],
  ["producer has no option 'lingerMS', but lingerMs,", 'producer', [{ lingerMS: 5 }]],
  ["producer: lingerMs is number, not '5'", 'producer', [{ lingerMs: '5' }]],
  [
    "query: transport is 'sse' | 'socket', not 'websocket'",
    'query',
    ['SELECT 1;', { transport: 'websocket' }],
  ],
  ["query: bigint is 'exact' | 'bigint', not boolean", 'query', ['SELECT 1;', { bigint: true }]],
  [
    "query has no option 'auto.offset.reset', but properties,",
    'query',
    ['SELECT 1;', { 'auto.offset.reset': 'earliest' }],
  ],
  [
    "execute has no option 'property', but properties,",
    'execute',
    ['SHOW STREAMS;', { property: {} }],
  ],
])('%s', async (message, call, given) => {
  const loose = client() as unknown as Loose;
  const refused = await refusal(() => loose[call]?.(...given));
  expect(refused).toBeInstanceOf(TypeError);
  expect((refused as Error).message).toContain(message);
});

test.each<[message: string, given: unknown]>([
  ['connect takes an object, not undefined', undefined],
  ["connect takes an object, not 'http://edge.example'", 'http://edge.example'],
  ['connect: url is string | object, not undefined', {}],
  ["connect has no option 'uri', but url, token,", { uri: 'http://edge.example' }],
  ['connect: token is string | function, not 5', { url: 'http://edge.example', token: 5 }],
  ["connect: deadlineMs is number, not '5'", { url: 'http://edge.example', deadlineMs: '5' }],
  ['Invalid URL', { url: 'edge.example' }],
  ['connect: ws://edge.example/ is not http or https', { url: 'ws://edge.example' }],
])('%s', async (message, given) => {
  const refused = await refusal(() => (connect as unknown as (options: unknown) => unknown)(given));
  expect(refused).toBeInstanceOf(TypeError);
  expect((refused as Error).message).toContain(message);
});

test('migrations and places are refused by what they have not', async () => {
  const { migrations } = client();
  const loose = { migrations } as unknown as Record<string, Loose>;
  const apply = refusal(() => loose['migrations']?.['apply']?.({ name: 'a', version: '1' }));
  expect(await apply).toMatchObject({ message: "apply: version is number | null, not '1'" });
  const consumer = client().consumer({ topic: 't', partition: 0, from: 0 });
  await consumer.ready();
  const seek = (consumer as unknown as Loose)['seek'];
  expect(await refusal(() => seek?.call(consumer, 'end'))).toMatchObject({
    message: `seek: to is ${START}, not 'end'`,
  });
  expect(await refusal(() => seek?.call(consumer, 0, '1'))).toMatchObject({
    message: "seek: partition is number, not '1'",
  });
});

test('what is absent may be said to be', () => {
  expect(() => checkOptions('call', { a: undefined }, { a: 'string' })).not.toThrow();
  expect(() => checkOptions('call', { b: undefined }, { a: 'string' })).toThrow(TypeError);
  expect(() => checkOptions('call', { a: null }, { a: 'object' })).toThrow('not null');
  expect(() =>
    checkOptions('call', { a: null, b: Infinity }, { a: 'string | null', b: 'number' }),
  ).not.toThrow();
});
