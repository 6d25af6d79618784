// A proxy of TCP connections as bad as networks are: it cuts, splits, delays, closes one way, holds what comes, and answers in the edge's place; knows no route.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Draw } from './draws.ts';

/** What becomes of a connection. */
type Roughness =
  /** It is good, and is cut after a while. */
  | 'none'
  /** Bytes come a few at a time. */
  | 'split'
  /** It is cut after some bytes of either side. */
  | 'cut'
  /** It is reset after some bytes of either side. */
  | 'reset'
  /** What was asked arrives, and the connection ends before the answer. */
  | 'taken'
  /** The way back is closed after some bytes, the other one stays open for a while. */
  | 'half'
  /** Nothing passes; it is cut after a while. */
  | 'hole'
  /** Somebody else answers. */
  | 'page';

const PAGE = `<!doctype html><title>Bad Gateway</title>${'<p>later</p>'.repeat(2_000)}`;

const ANSWERS = [
  ['502 Bad Gateway', 'text/html', PAGE, ''],
  ['503 Service Unavailable', 'text/html; charset=utf-8', PAGE, ''],
  ['504 Gateway Timeout', 'text/plain', 'upstream timed out', ''],
  ['429 Too Many Requests', 'text/html', PAGE, ''],
  ['429 Too Many Requests', 'text/plain', 'slow down', 'Retry-After: 1\r\n'],
  ['429 Too Many Requests', 'application/json', '{}', 'Retry-After: soon\r\n'],
  ['200 OK', 'text/html', PAGE, ''],
] as const;

const KINDS = ['none', 'split', 'cut', 'reset', 'taken', 'half', 'hole', 'page'] as const;
const HOLE_MS = 600;
const GOOD_MS_MAX = 1_500;

/** Stands before `target` on a port of its own. */
export class RoughProxy {
  /** Connections by what became of them. */
  readonly counts = new Map<Roughness, number>();
  /** false: all connections from now on are good. */
  isRough = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #left: Roughness[] = [];
  readonly #draw: Draw;
  readonly #target: () => string;

  private constructor(target: () => string, draw: Draw) {
    this.#target = target;
    this.#draw = draw;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#joined(near));
  }

  static async start(target: () => string, draw: Draw): Promise<RoughProxy> {
    const proxy = new RoughProxy(target, draw);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that their clients have not ended. */
  get open(): number {
    return [...this.#sockets].filter(({ readableEnded }) => !readableEnded).length;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #joined(near: Socket): void {
    this.#sockets.add(near);
    near.on('close', () => this.#sockets.delete(near));
    near.on('error', () => near.destroy());
    const kind = this.#drawn();
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (kind === 'page') this.#answer(near);
    else if (kind === 'hole') setTimeout(() => near.destroy(), HOLE_MS);
    else this.#pass(near, kind);
  }

  #drawn(): Roughness {
    if (!this.isRough) return 'none';
    // Each once, then each as likely, and good ones as often as four of them.
    if (this.#left.length === 0) this.#left.push(...KINDS, 'none', 'none', 'none');
    const [kind = 'none'] = this.#left.splice(this.#draw(this.#left.length), 1);
    return kind;
  }

  #answer(near: Socket): void {
    const [status, type, body, header] = ANSWERS[this.#draw(ANSWERS.length)] ?? ANSWERS[0];
    const keeps = this.#draw(2) === 0;
    const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n${header}`;
    near.once('data', () => {
      near.write(`${head}Connection: ${keeps ? 'keep-alive' : 'close'}\r\n\r\n${body}`);
      if (keeps) setTimeout(() => near.destroy(), HOLE_MS * 3);
      else near.end();
    });
    near.on('end', () => near.end());
  }

  #pass(near: Socket, kind: Roughness): void {
    const { hostname, port } = new URL(this.#target());
    const far = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const end = (): void => {
      if (kind === 'reset') near.resetAndDestroy();
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    if (kind === 'none' && this.isRough) setTimeout(end, this.#draw(GOOD_MS_MAX));
    let left =
      kind === 'cut' || kind === 'reset' || kind === 'half' ? this.#draw(40_000) : Infinity;
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (data) => {
        if (kind === 'taken' && from === far) return end();
        if (kind === 'split') return this.#split(from, to, data);
        const some = data.subarray(0, Math.min(left, data.length));
        left -= some.length;
        to.write(some);
        if (left > 0) return;
        if (kind !== 'half') return end();
        near.end();
        setTimeout(end, HOLE_MS);
      });
      from.on('end', () => to.end());
    };
    pass(near, far);
    pass(far, near);
  }

  /** In a few pieces, with rests between them. */
  #split(from: Socket, to: Socket, data: Buffer): void {
    from.pause();
    let at = 0;
    const next = (): void => {
      if (to.destroyed) return;
      const length = at === 0 ? 1 + this.#draw(40) : 1 + this.#draw(data.length);
      to.write(data.subarray(at, at + length));
      at += length;
      if (at < data.length) setTimeout(next, this.#draw(15));
      else from.resume();
    };
    next();
  }
}
