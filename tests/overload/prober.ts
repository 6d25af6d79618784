// One client beside the flood, in a process of its own: how soon it is answered, without the queue of whoever makes the flood; knows no flood.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { RawHttp } from '../bench/edge/raw-http.ts';

/** How often it asks. */
const EVERY_MS = 10;

/** What one request came to. */
export interface Probed {
  readonly status: number;
  readonly ms: number;
}

/** Asks from now on until `stop`, one request after the other. */
export class Prober {
  readonly #child: ChildProcess;

  constructor(port: number, request: Buffer) {
    this.#child = fork(import.meta.filename, [String(port)]);
    this.#child.send(request.toString('base64'));
  }

  async stop(): Promise<readonly Probed[]> {
    const answer = once(this.#child, 'message') as Promise<[readonly Probed[]]>;
    this.#child.send('stop');
    const [probed] = await answer;
    this.#child.disconnect();
    return probed;
  }
}

async function run(port: number): Promise<void> {
  // As a message: the arguments of a process are bounded, and requests may be long.
  const [base64] = (await once(process, 'message')) as [string];
  const request = Buffer.from(base64, 'base64');
  const probed: Probed[] = [];
  const stopped = new AbortController();
  process.once('message', () => stopped.abort());
  const connection = await RawHttp.connect(port);
  while (!stopped.signal.aborted) {
    const at = performance.now();
    const { status } = await connection.request(request, false);
    const ms = performance.now() - at;
    probed.push({ status, ms });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - ms)));
  }
  connection.close();
  process.send?.(probed);
}

const [port] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && port !== undefined) await run(Number(port));
