// `node scripts/profile-edge.ts LOAD [count]`: runs one load on plain workerd and prints where its isolate spends time; knows no case.
//
// LOAD is batches, json, singles or read of the log, or paced: from produce over a windowed table to a push query. workerd's inspector speaks the protocol of V8's tools over a WebSocket: what is sampled is
// JavaScript and what it calls; `(program)` is native code of the isolate, `(idle)` everything outside it, sockets and SQLite's disk included.

import process from 'node:process';
import { Load } from '../tests/bench/edge/load.ts';
import { LogLoads } from '../tests/bench/edge/log-loads.ts';
import { pin, processorMs } from '../tests/bench/edge/machine.ts';
import { PacedLoad } from '../tests/bench/edge/paced.ts';
import { Workerd } from '../tests/support/workerd.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly hitCount: number;
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
}

const SAMPLE_MICROS = 200;
const FUNCTIONS_SHOWN = 40;
const DEFAULT_COUNT = { batches: 1_000, json: 300, singles: 5_000, read: 4_000, paced: 400 };
type LoadName = keyof typeof DEFAULT_COUNT;

/** One connection to the isolate's inspector. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id !== undefined) this.#waiting.get(id)?.(result);
    });
  }

  static async connect(port: number): Promise<Inspector> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/main`);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the inspector does not answer')));
    });
    return new Inspector(socket);
  }

  send(method: string, params: object = {}): Promise<unknown> {
    const id = (this.#id += 1);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): void {
    this.#socket.close();
  }
}

interface Loads {
  readonly log: LogLoads;
  readonly paced: PacedLoad | null;
}

function run({ log: loads, paced }: Loads, load: LoadName, count: number): Promise<unknown> {
  switch (load) {
    case 'paced':
      return paced?.run(count) ?? Promise.reject(new Error('it was not opened'));
    case 'batches':
      return loads.batches(count);
    case 'json':
      return loads.json(count);
    case 'singles':
      return loads.singles(count);
    case 'read':
      return loads.read(0, count);
  }
}

/** Self time by function, greatest first. */
function table({ nodes, startTime, endTime }: Profile): string {
  const hits = new Map<string, number>();
  let all = 0;
  for (const { callFrame, hitCount } of nodes) {
    const { functionName, lineNumber } = callFrame;
    const name = `${functionName === '' ? '(anonymous)' : functionName}:${lineNumber + 1}`;
    hits.set(name, (hits.get(name) ?? 0) + hitCount);
    all += hitCount;
  }
  const ms = (endTime - startTime) / 1000;
  const lines = [...hits]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, FUNCTIONS_SHOWN)
    .map(([name, count]) => {
      const share = count / all;
      return `${(share * 100).toFixed(1).padStart(6)} %  ${(share * ms).toFixed(0).padStart(7)} ms  ${name}`;
    });
  return lines.join('\n');
}

const [load = '', given] = process.argv.slice(2);
if (!Object.hasOwn(DEFAULT_COUNT, load)) {
  process.stderr.write(`name a load: ${Object.keys(DEFAULT_COUNT).join(', ')}\n`);
  process.exit(2);
}
const name = load as LoadName;
const count = Number(given ?? DEFAULT_COUNT[name]);
pin(process.pid, 0);
await using edge = await Workerd.start();
await edge.kill();
await edge.restart({ inspector: true });
pin(edge.pid, 1);
using log = await LogLoads.open(edge.url);
const few = await Load.open(Number(new URL(edge.url).port), 6);
const paced = name === 'paced' ? await PacedLoad.open(few, edge.url, edge.pid) : null;
const loads: Loads = { log, paced };
if (name === 'read') await log.batches(count);
// What is compiled and opened at first is no part of the rate.
await run(loads, name, Math.ceil(count / 4));
const inspector = await Inspector.connect(edge.inspectorPort);
await inspector.send('Profiler.enable');
await inspector.send('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
await inspector.send('Profiler.start');
const [startMs, processor] = [performance.now(), processorMs(edge.pid)];
await run(loads, name, count);
const [tookMs, serverMs] = [performance.now() - startMs, processorMs(edge.pid) - processor];
const { profile } = (await inspector.send('Profiler.stop')) as { profile: Profile };
inspector.close();
paced?.close();
few.close();
process.stdout.write(
  `${name}: ${count} in ${tookMs.toFixed(0)} ms, of which the server's processor had ${serverMs.toFixed(0)} ms: ${((tookMs * 1000) / count).toFixed(0)} us each, ${((serverMs * 1000) / count).toFixed(0)} us of the server's\n${table(profile)}\n`,
);
