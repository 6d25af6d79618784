// Several callers of one engine at once, drawn from a seed: statements, records, queries that begin and end, and the engine closed and opened again meanwhile; knows no host.

import { getEventListeners } from 'node:events';
import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import type { Draw } from './draws.ts';

/** What is refused where another caller has changed something meanwhile. */
const REFUSALS: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'UNKNOWN_TOPIC',
  'UNKNOWN_PARTITION',
  'INCARNATION_CHANGED',
  'OFFSET_OUT_OF_RANGE',
]);
const BASES = ['A', 'B'];
const STREAMS = ['F', 'G'];
const TABLES = ['T', 'U', 'W'];
const KEYS = 5;

interface Value {
  readonly ID: number;
  readonly V: number;
}

/** What has come of a seed; all of it is to be nothing. */
export interface Faults {
  /** Errors that no other caller explains. */
  readonly unexplained: unknown[];
  /** What the final recount says that the engine does not, or the other way round. */
  readonly miscounted: string[];
  /** Listeners of signals that nobody has taken away. */
  listeners: number;
}

export class Interleaving {
  readonly faults: Faults = { unexplained: [], miscounted: [], listeners: 0 };
  /** Queries and records that the final recount has looked at. */
  readonly recounted = { queries: 0, records: 0 };
  readonly #draw: Draw;
  readonly #open: () => Promise<Engine>;
  #engine: Promise<Engine>;
  #ids = 0;
  /** How often each source was dropped. */
  readonly #drops = new Map<string, number>();
  /** Records that were acknowledged: their source and how often that had been dropped before. */
  readonly #sent = new Map<number, readonly [source: string, drops: number]>();
  /** Readers, which end with the engine at the latest. */
  readonly #readers = new Set<Promise<void>>();
  readonly #signals: AbortSignal[] = [];

  constructor(draw: Draw, open: () => Promise<Engine>) {
    this.#draw = draw;
    this.#open = open;
    this.#engine = open();
  }

  /** @param callers how many at once, each with so many calls */
  async run(callers: number, calls: number): Promise<void> {
    await (await this.#engine).execute(BASES.map(base).join(' '));
    const call = async (): Promise<void> => {
      for (let made = 0; made < calls; made++) {
        await this.#tried(() => this.#step());
        await this.#wait();
      }
    };
    await Promise.all(Array.from({ length: callers }, call));
    await this.#recount(await this.#engine);
    await this.#close();
    for (const signal of this.#signals)
      this.faults.listeners += getEventListeners(signal, 'abort').length;
  }

  /** All that is open ends with the engine. */
  async #close(): Promise<void> {
    await (await this.#engine).close();
    await Promise.all(this.#readers);
  }

  async #tried(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      const isExplained =
        thrown instanceof StatementError ||
        (thrown instanceof PortError && REFUSALS.has(thrown.code)) ||
        (thrown instanceof DOMException && thrown.name === 'AbortError');
      if (!isExplained) this.faults.unexplained.push(thrown);
    }
  }

  /** A few turns, or none. */
  async #wait(): Promise<void> {
    const kind = this.#draw(6);
    const turns = kind === 0 ? 0 : this.#draw(8);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    if (kind === 4) await new Promise((resolve) => setImmediate(resolve));
    if (kind === 5) await new Promise((resolve) => setTimeout(resolve, this.#draw(4)));
  }

  #one(of: readonly string[]): string {
    return of[this.#draw(of.length)] as string;
  }

  async #step(): Promise<unknown> {
    const opened = this.#engine;
    const engine = await opened;
    const kind = this.#draw(40);
    if (kind < 10) return this.#insert(engine);
    if (kind < 16) return engine.execute(this.#definition());
    if (kind < 20) return this.#drop(engine);
    if (kind < 25) return engine.execute(this.#steering(engine));
    if (kind < 31) return this.#read(engine);
    if (kind < 33) return this.#print(engine);
    if (kind < 35) return this.#pull(engine);
    if (kind === 35) return engine.stats();
    if (kind === 36) return engine.idle();
    if (kind === 37) return engine.topicRecords(this.#one([...BASES, ...STREAMS]));
    if (kind === 38) return engine.execute('ASSERT TOPIC nothing TIMEOUT 5 MILLISECONDS;');
    return this.#openAgain(opened);
  }

  #definition(): string {
    const source = this.#one([...BASES, ...STREAMS]);
    // Neither this nor SWAP of streams: where the query that wrote one has been terminated, its topic would hold what two have made.
    const table = `CREATE ${this.#draw(3) === 0 ? 'OR REPLACE ' : ''}TABLE ${this.#one(TABLES)} AS`;
    switch (this.#draw(6)) {
      case 0:
        return base(this.#one(BASES));
      case 1:
      case 2:
        return `CREATE STREAM ${this.#one(STREAMS)} AS SELECT k, id, v FROM ${this.#one(BASES)} WHERE v % 2 = 0;`;
      case 3:
        return `${table} SELECT k, COUNT(*) AS n, SUM(v) AS total FROM ${source} GROUP BY k;`;
      case 4:
        // By another key: with a topic between tasks.
        return `${table} SELECT v, COUNT(*) AS n, SUM(id) AS total FROM ${source} GROUP BY v;`;
      default:
        return 'ALTER TABLE T SWAP WITH U TIMEOUT 20 MILLISECONDS;';
    }
  }

  async #insert(engine: Engine): Promise<void> {
    const source = this.#one(BASES);
    const drops = this.#drops.get(source) ?? 0;
    const rows = Array.from({ length: 1 + this.#draw(6) }, () => ({
      k: `k${this.#draw(KEYS)}`,
      id: ++this.#ids,
      v: this.#draw(7),
    }));
    const done = engine.insert(source, rows.length === 1 ? (rows[0] as object) : rows);
    await done;
    for (const { id } of rows) this.#sent.set(id, [source, drops]);
  }

  async #drop(engine: Engine): Promise<void> {
    const name = this.#one([...BASES, ...STREAMS, ...STREAMS, ...TABLES, ...TABLES]);
    const kind = TABLES.includes(name) ? 'TABLE' : 'STREAM';
    // Counted before and after: records may go in between.
    const count = (): unknown => this.#drops.set(name, (this.#drops.get(name) ?? 0) + 1);
    count();
    await engine.execute(`DROP ${kind} ${name} DELETE TOPIC;`);
    count();
  }

  #steering(engine: Engine): string {
    const ids = [...engine.catalog.queries.keys(), 'ALL'];
    const id = ids[this.#draw(ids.length)] as string;
    const verb = this.#one(['PAUSE', 'RESUME', 'PAUSE', 'RESUME', 'TERMINATE']);
    return `${verb} ${verb === 'TERMINATE' && id === 'ALL' ? 'NOTHING' : id};`;
  }

  #signal(): AbortController {
    const end = new AbortController();
    this.#signals.push(end.signal);
    return end;
  }

  #beside(work: () => Promise<void>): void {
    const reader = this.#tried(work).finally(() => this.#readers.delete(reader));
    this.#readers.add(reader);
  }

  /** A push query, which ends in one of many ways. */
  async #read(engine: Engine): Promise<void> {
    const end = this.#signal();
    const how = this.#draw(5);
    if (how === 0) this.#beside(async () => this.#wait().then(() => end.abort()));
    const source = this.#one([...BASES, ...STREAMS]);
    const sql =
      this.#draw(2) === 0
        ? `SELECT id FROM ${source} EMIT CHANGES;`
        : `SELECT v, COUNT(*) AS n FROM ${source} GROUP BY v EMIT CHANGES;`;
    const rows = await engine.query(sql, { signal: end.signal });
    const seen = new Set<unknown>();
    const items = rows[Symbol.asyncIterator]();
    this.#beside(async () => {
      let left = this.#draw(20);
      for await (const { ID } of items) {
        if (ID !== undefined && seen.size === seen.add(ID).size)
          this.faults.miscounted.push(`a push query showed ${JSON.stringify(ID)} twice`);
        if (how === 1 && left-- === 0) break;
      }
    });
    if (how < 2) return;
    this.#beside(async () => {
      await this.#wait();
      if (how === 2) await rows.close();
      if (how === 3) await items.return?.();
      // The last way: it stays open until the engine is closed.
    });
  }

  async #print(engine: Engine): Promise<void> {
    const end = this.#signal();
    const lines = await engine.print(`PRINT ${this.#one([...BASES, ...STREAMS])} FROM BEGINNING;`, {
      signal: end.signal,
    });
    const how = this.#draw(3);
    this.#beside(async () => {
      for await (const line of lines) if (how === 0 && line.length > 60) break;
    });
    if (how === 1) await lines.return();
  }

  async #pull(engine: Engine): Promise<void> {
    const rows = await engine.query(
      `SELECT * FROM ${this.#one([...BASES, ...STREAMS, ...TABLES])};`,
    );
    for await (const row of rows) if (this.#draw(20) === 0 && row['V'] !== null) break;
  }

  async #openAgain(engine: Promise<Engine>): Promise<void> {
    // Another caller has begun: all wait for the same one.
    if (engine !== this.#engine) return;
    this.#engine = engine.then(async (before) => {
      await before.close();
      return await this.#open();
    });
    await this.#engine;
  }

  async #recount(engine: Engine): Promise<void> {
    await engine.execute('RESUME ALL;');
    await engine.idle();
    const { queries, sources } = engine.catalog;
    const held = new Map<string, readonly (Value & { readonly K: string })[]>();
    for (const { name, topic, kind } of sources.values())
      if (kind === 'stream' && !name.startsWith('KSQL'))
        held.set(name, await valuesOf(engine, topic));
    for (const { writes, reads } of queries.values()) {
      const [from = ''] = reads;
      const values = held.get(from) ?? [];
      const made = held.get(writes as string);
      if (made !== undefined) {
        const wanted = values.filter(({ V }) => V % 2 === 0).map(({ ID }) => ID);
        this.#compare(
          `${String(writes)} of ${from}`,
          made.map(({ ID }) => ID),
          wanted,
        );
        continue;
      }
      const rows = await (await engine.query(`SELECT * FROM ${String(writes)};`)).all();
      const shown = rows.map((row) =>
        JSON.stringify([row['K'] ?? row['V'], row['N'], row['TOTAL']]),
      );
      const byKey = rows.some(({ K }) => K !== undefined);
      this.#compare(`${String(writes)} of ${from}`, shown, grouped(values, byKey));
    }
    for (const [id, [source, drops]] of this.#sent) {
      if (drops !== (this.#drops.get(source) ?? 0)) continue;
      this.recounted.records += 1;
      const times = held.get(source)?.filter(({ ID }) => ID === id).length;
      if (times !== 1) this.faults.miscounted.push(`record ${id} is ${times} times in ${source}`);
    }
  }

  #compare(what: string, shown: readonly unknown[], wanted: readonly unknown[]): void {
    this.recounted.queries += 1;
    const [left, right] = [shown, wanted].map((all) => all.map(String).sort().join(' '));
    if (left !== right) this.faults.miscounted.push(`${what}: ${left} instead of ${right}`);
  }
}

function base(name: string): string {
  return `CREATE STREAM IF NOT EXISTS ${name} (k STRING KEY, id INT, v INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=2, VALUE_FORMAT='JSON');`;
}

async function valuesOf(
  engine: Engine,
  topic: string,
): Promise<readonly (Value & { readonly K: string })[]> {
  const values: (Value & { readonly K: string })[] = [];
  for (const partition of [0, 1])
    for (const { key, value } of await engine.topicRecords(topic, { partition })) {
      const made = JSON.parse(decodeUtf8(value as Uint8Array)) as Value;
      values.push({ ...made, K: decodeUtf8(key as Uint8Array) });
    }
  return values;
}

function grouped(
  values: readonly (Value & { readonly K: string })[],
  byKey: boolean,
): readonly string[] {
  const groups = new Map<string | number, readonly [n: number, total: number]>();
  for (const { K, V, ID } of values) {
    const key = byKey ? K : V;
    const [n, total] = groups.get(key) ?? [0, 0];
    groups.set(key, [n + 1, total + (byKey ? V : ID)]);
  }
  return [...groups].map(([key, [n, total]]) => JSON.stringify([key, n, total]));
}
