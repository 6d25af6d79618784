// A proxy of TCP connections that cuts one of them each time a drawn number of bytes has passed, as networks do; knows no protocol.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Stands before `target` on a port of its own. */
export class CuttingProxy {
  /** Connections that were cut for their bytes. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param bytesOf how many bytes of the target's pass, over all connections, until one is cut; Infinity: none is */
  private constructor(target: () => string, bytesOf: () => number) {
    let left = bytesOf();
    this.#server = createServer((near) => {
      const { hostname, port } = new URL(target());
      const far = connect(Number(port), hostname);
      const end = (): void => {
        near.destroy();
        far.destroy();
        this.#sockets.delete(near);
      };
      this.#sockets.add(near);
      for (const socket of [near, far]) socket.on('error', end).on('close', end);
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => {
        near.write(data.subarray(0, Math.min(left, data.length)));
        left -= data.length;
        if (left > 0) return;
        left = bytesOf();
        this.cuts += 1;
        far.destroy();
        near.end();
        this.#sockets.delete(near);
      });
    });
  }

  static async start(target: () => string, bytesOf: () => number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, bytesOf);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}
