// What the harness of the torture makes of connections that are closed under it: unknown outcomes, and reads that are done again.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { asked, askedAgain } from '../../torture/asking.ts';

type Answer = (response: ServerResponse) => void;

const whole: Answer = (response) => response.end('whole');
/** The connection ends before the answer has begun. */
const unanswered: Answer = (response) => response.destroy();
/** The connection ends within the answer. */
const cut: Answer = (response) => {
  response.writeHead(200, { 'Content-Length': '1000' });
  response.write('half', () => response.destroy());
};
const failing: Answer = (response) => response.writeHead(503).end('not now');

/** A server that gives `answers` one after the other, the last one from then on, over connections that are kept alive. */
async function serving(...answers: readonly Answer[]) {
  let requests = 0;
  const server = createServer((_, response) => {
    answers[Math.min(requests++, answers.length - 1)]?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test.each([
  ['before the answer', unanswered],
  ['within the answer', cut],
  ['by a passing fault', failing],
])('the outcome of a request that is ended %s is unknown', async (_, answer) => {
  await using server = await serving(whole, answer);
  expect(await (await asked(server, '/'))?.text()).toBe('whole');
  expect(await asked(server, '/')).toBe(null);
  expect(server.requests()).toBe(2);
});

test('a request to a server that is down is one of unknown outcome', async () => {
  const gone = await serving(whole);
  await gone[Symbol.asyncDispose]();
  expect(await asked(gone, '/')).toBe(null);
});

test('a read is done again until its answer comes whole, and given up in time', async () => {
  await using server = await serving(whole, unanswered, cut, failing, unanswered, whole);
  expect((await askedAgain(server, '/')).status).toBe(200);
  expect(await (await askedAgain(server, '/')).text()).toBe('whole');
  expect(server.requests()).toBe(6);
  await using silent = await serving(unanswered);
  await expect(askedAgain(silent, '/', {}, 200)).rejects.toThrow(/in time/);
});

test('a refusal is an answer, and a fault of the harness is thrown', async () => {
  await using server = await serving((response) => response.writeHead(409).end('no'));
  const refused = await askedAgain(server, '/');
  expect([refused.status, await refused.text()]).toEqual([409, 'no']);
  await expect(asked({ url: 'no url' }, '/')).rejects.toThrow(TypeError);
});
