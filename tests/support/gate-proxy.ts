// A proxy of TCP connections that may be shut, as by an edge that is away, or leave what is open half open, as a machine that has slept finds it.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands before `target` on a port of its own, which stays. */
export class GateProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isShut = false;
  /** Connections that were cut for their age. */
  cuts = 0;

  private constructor(target: () => string, ageMsMax: number) {
    this.#server = createServer((near) => {
      if (this.#isShut) {
        near.destroy();
        return;
      }
      const old = setTimeout(() => {
        this.cuts += 1;
        near.destroy();
      }, ageMsMax);
      near.on('close', () => clearTimeout(old));
      const { hostname, port } = new URL(target());
      const far = connect(Number(port), hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('data', (data) => other.write(data));
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  /** @param ageMsMax connections are cut when they are so old */
  static async start(target: () => string, ageMsMax = 2 ** 31 - 1): Promise<GateProxy> {
    const proxy = new GateProxy(target, ageMsMax);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are open, both ends counted. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Cuts all connections, and takes no other one until `reopen`. */
  shut(): void {
    this.#isShut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  reopen(): void {
    this.#isShut = false;
  }

  /** Nothing passes any more over the connections that are open, and nobody is told. */
  stall(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('data').resume();
  }

  async stop(): Promise<void> {
    this.shut();
    await new Promise((done) => this.#server.close(done));
  }
}
