// A proxy between a client and an edge that loses, delays, cuts and repeats, as a network may; knows no route's meaning.

import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { draws } from './draws.ts';

/** What becomes of one request. */
export type Fault =
  | 'none'
  /** It never arrives. */
  | 'lose request'
  /** It is done, and nobody hears of it. */
  | 'lose reply'
  /** Half of the reply arrives. */
  | 'cut reply'
  /** It is done twice, and the second reply arrives. */
  | 'repeat'
  /** It is done, and its reply does not come before it ends. */
  | 'hold reply'
  /** It is not done, and asked to come again. */
  | 'busy'
  | { readonly delayMs: number }
  /** It never arrives: somebody else answers with a page. */
  | { readonly status: number; readonly page: string };

interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Stands before `target` on a port of its own. */
export class FaultProxy {
  readonly counts = new Map<string, number>();
  readonly #server: Server;
  readonly #target: () => string;
  readonly #faultOf: (request: Arrived) => Fault;

  private constructor(target: () => string, faultOf: (request: Arrived) => Fault) {
    this.#target = target;
    this.#faultOf = faultOf;
    this.#server = createServer((arriving, answer) => void this.#answer(arriving, answer));
  }

  static async start(
    target: () => string,
    faultOf: (request: Arrived) => Fault,
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, faultOf);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(arriving: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const parts: Buffer[] = [];
      for await (const part of arriving) parts.push(part as Buffer);
      const { method = 'GET', url: path = '/', headers } = arriving;
      const arrived = { method, path, headers, body: Buffer.concat(parts) };
      await this.#faulty(arrived, answer);
    } catch {
      answer.destroy(); // The client has gone, or the edge has: either way this connection ends.
    }
  }

  async #faulty(arrived: Arrived, answer: ServerResponse): Promise<void> {
    const fault = this.#faultOf(arrived);
    const name = typeof fault === 'string' ? fault : 'page' in fault ? 'page' : 'delay';
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (fault === 'lose request') {
      answer.destroy();
      return;
    }
    if (fault === 'busy') {
      answer.writeHead(429, { 'content-type': 'application/json' });
      answer.end('{"@type":"generic_error","error_code":42900,"code":"BUSY","message":"later"}');
      return;
    }
    if (typeof fault === 'object' && 'page' in fault) {
      answer.writeHead(fault.status, { 'content-type': 'text/html' }).end(fault.page);
      return;
    }
    if (typeof fault === 'object') await new Promise((done) => setTimeout(done, fault.delayMs));
    if (fault === 'none') {
      await this.#stream(arrived, answer);
      return;
    }
    // The reply of a query that goes on has no end.
    let reply = await this.#forward(arrived, answer);
    if (fault === 'repeat') reply = await this.#forward(arrived);
    if (fault === 'lose reply') {
      answer.destroy();
      return;
    }
    answer.writeHead(reply.status, reply.headers);
    if (fault !== 'cut reply') {
      answer.end(reply.body);
      return;
    }
    answer.write(reply.body.subarray(0, reply.body.length >> 1));
    setTimeout(() => answer.destroy(), 1);
  }

  #send(arrived: Arrived): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body } = arrived;
      const sent = request(this.#target() + path, { method, headers, agent: false }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** The reply as it comes. */
  async #stream(arrived: Arrived, answer: ServerResponse): Promise<void> {
    const reply = await this.#send(arrived);
    answer.writeHead(reply.statusCode ?? 500, reply.headers);
    answer.on('close', () => reply.destroy());
    reply.on('error', () => answer.destroy());
    reply.pipe(answer);
  }

  async #forward(arrived: Arrived, answer: ServerResponse | null = null): Promise<Reply> {
    const reply = await this.#send(arrived);
    answer?.on('close', () => reply.destroy());
    const parts: Buffer[] = [];
    for await (const part of reply) parts.push(part as Buffer);
    const headers = { ...reply.headers };
    delete headers['transfer-encoding'];
    const body = Buffer.concat(parts);
    return {
      status: reply.statusCode ?? 500,
      headers: { ...headers, 'content-length': String(body.length) },
      body,
    };
  }
}

/** Faults drawn from a seed: each kind once, then each with its weight. */
export function drawnFaults(
  seed: number,
  weights: readonly (readonly [Fault, number])[],
): () => Fault {
  const below = draws(seed);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  const first = weights.map(([fault]) => fault);
  return () => {
    const [once] = first.splice(below(first.length || 1), 1);
    if (once !== undefined) return once;
    let left = below(total);
    for (const [fault, weight] of weights) {
      left -= weight;
      if (left < 0) return fault;
    }
    return 'none';
  };
}
