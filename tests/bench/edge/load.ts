// Load on a server: rounds of many requests over several connections, their rate and their times; knows no route.

import { expectStatus, RawHttp } from './raw-http.ts';

/** Connections to one server, opened once. */
export class Load {
  readonly #connections: readonly RawHttp[];
  #turn = 0;

  private constructor(connections: readonly RawHttp[]) {
    this.#connections = connections;
  }

  static async open(port: number, connections: number): Promise<Load> {
    return new Load(
      await Promise.all(Array.from({ length: connections }, () => RawHttp.connect(port))),
    );
  }

  /**
   * Sends requests, `pipelined` at once on each connection, until `isDone`.
   * @param next the bytes of the next request; null: no more
   * @returns how long each took, in ms
   */
  async run(options: {
    readonly pipelined: number;
    readonly next: () => Buffer | null;
    readonly status: number;
    readonly keep?: boolean | undefined;
    readonly onAnswer?: ((body: Buffer, bodyBytes: number) => void) | undefined;
  }): Promise<number[]> {
    const times: number[] = [];
    const { next, status, keep = false, onAnswer } = options;
    const lane = async (connection: RawHttp): Promise<void> => {
      for (;;) {
        const bytes = next();
        if (bytes === null) return;
        const start = performance.now();
        const answer = await connection.request(bytes, keep);
        times.push(performance.now() - start);
        // An answer that is not the one expected is asked for again with its text.
        expectStatus(answer, status);
        onAnswer?.(answer.body, answer.bodyBytes);
      }
    };
    await Promise.all(
      this.#connections.flatMap((connection) =>
        Array.from({ length: options.pipelined }, () => lane(connection)),
      ),
    );
    return times;
  }

  /** One request, on the connections in turn. */
  async one(bytes: Buffer, status: number): Promise<Buffer> {
    const connection = this.#connections[this.#turn++ % this.#connections.length];
    if (connection === undefined) throw new Error('no connection');
    return expectStatus(await connection.request(bytes), status).body;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** The value below which a share of them lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
