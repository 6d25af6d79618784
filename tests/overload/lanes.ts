// Requests at a given rate over many connections, whatever becomes of them: how many were answered how, and when; knows no route.

import { RawHttp } from '../bench/edge/raw-http.ts';

/** One kind of request. */
export interface Kind {
  readonly name: string;
  readonly bytes: () => Buffer;
}

/** What became of the requests of one kind. */
export class Outcomes {
  readonly acceptedMs: number[] = [];
  readonly refusedMs: number[] = [];
  /** Answers that are neither: by status. */
  readonly others = new Map<number, number>();
  /** Requests that were due and found no connection free: the generator's own bound. */
  unsent = 0;
  /** Connections that ended before they answered. */
  cut = 0;

  add(status: number, ms: number): void {
    if (status === 200) this.acceptedMs.push(ms);
    else if (status === 429 || status === 503) this.refusedMs.push(ms);
    else this.others.set(status, (this.others.get(status) ?? 0) + 1);
  }
}

/** How often it looks for what is due. */
const TICK_MS = 2;

/** Connections that are there for every request: one under way on each. */
export class Generator {
  readonly #port: number;
  readonly #connectionsMax: number;
  readonly #idle: RawHttp[] = [];
  #open = 0;

  constructor(port: number, connectionsMax: number) {
    this.#port = port;
    this.#connectionsMax = connectionsMax;
  }

  /** Sends at a rate, open loop. @param perSecond by kind */
  async offer(
    kinds: readonly Kind[],
    perSecond: readonly number[],
    forMs: number,
  ): Promise<Outcomes[]> {
    const outcomes = kinds.map(() => new Outcomes());
    const sent = kinds.map(() => 0);
    const underWay = new Set<Promise<void>>();
    const start = performance.now();
    for (let now = start; now - start < forMs; now = performance.now()) {
      for (const [i, kind] of kinds.entries()) {
        const due = ((now - start) / 1000) * (perSecond[i] ?? 0);
        for (; (sent[i] ?? 0) < due; sent[i] = (sent[i] ?? 0) + 1) {
          const outcome = outcomes[i];
          if (outcome === undefined) continue;
          const one = this.#send(kind, outcome);
          if (one === null) continue;
          underWay.add(one);
          void one.finally(() => underWay.delete(one));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(underWay);
    return outcomes;
  }

  /** Opens as many connections as there may be. */
  async open(): Promise<void> {
    for (; this.#open < this.#connectionsMax; this.#open += 1)
      this.#idle.push(await RawHttp.connect(this.#port));
  }

  /** Sends as fast as it is answered, with so many under way for each kind. */
  async closed(kinds: readonly Kind[], lanes: number, forMs: number): Promise<Outcomes[]> {
    const end = performance.now() + forMs;
    return Promise.all(
      kinds.map(async (kind) => {
        const outcome = new Outcomes();
        const lane = async (): Promise<void> => {
          while (performance.now() < end) await this.#send(kind, outcome);
        };
        await Promise.all(Array.from({ length: lanes }, lane));
        return outcome;
      }),
    );
  }

  #send(kind: Kind, outcome: Outcomes): Promise<void> | null {
    if (this.#idle.length === 0 && this.#open >= this.#connectionsMax) {
      outcome.unsent += 1;
      return null;
    }
    return this.#sent(kind, outcome);
  }

  async #sent(kind: Kind, outcome: Outcomes): Promise<void> {
    const reused = this.#idle.pop();
    if (reused === undefined) this.#open += 1;
    const at = performance.now();
    const bytes = kind.bytes();
    let connection = reused;
    for (;;) {
      try {
        connection ??= await RawHttp.connect(this.#port);
        const { status } = await connection.request(bytes, false);
        outcome.add(status, performance.now() - at);
        // Refused or not: a client keeps a connection that its server keeps.
        this.#idle.push(connection);
        return;
      } catch {
        connection?.close();
        if (connection === reused && reused !== undefined) {
          // Closed behind the answer before, which had not read its request: sent again on another one, as clients do.
          connection = undefined;
          continue;
        }
        this.#open -= 1;
        outcome.cut += 1;
        return;
      }
    }
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }
}
