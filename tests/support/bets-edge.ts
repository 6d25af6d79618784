// An edge with a topic of bets and a table over it, whose objects are put back to older states, and a recount of what its logs hold.

import { PortError } from '../../runtime/base/errors.ts';
import { connect, type ConsumerOptions } from '../../runtime/client/index.ts';
import { type Answer, fetchAll, send, until } from './edge-client.ts';
import { Backup, type ObjectName } from './object-files.ts';
import { Workerd } from './workerd.ts';

export const PARTITIONS = 2;
/** The id of the table's query. */
export const QUERY = 'CTAS_TOTALS_2';
const STATEMENTS = `
  SET 'millrace.fuse' = 'never';
  CREATE STREAM bets (id STRING KEY, grp STRING, amount BIGINT)
    WITH (KAFKA_TOPIC='bets', PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON');
  CREATE TABLE totals AS SELECT grp, COUNT(*) AS n, SUM(amount) AS total FROM bets GROUP BY grp;`;
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const text = new TextDecoder();

export const isTask = (name: ObjectName): boolean => name.startsWith('processor');
export const isPartitionOf = (topic: string) => (name: ObjectName) =>
  name.startsWith(`partition ${topic}/`);

/** Of what is made of the bets. */
export const isPartitionBehind = (name: ObjectName): boolean =>
  name.startsWith('partition') && !isPartitionOf('bets')(name);

type Row = readonly [group: string, count: number, total: number];
const byGroup = ([a]: Row, [b]: Row): number => (a < b ? -1 : 1);

interface Described {
  readonly incarnation: string;
  readonly bounds: readonly { readonly highWatermark: number }[];
}

interface Queried {
  readonly id: string;
  readonly state: string;
  readonly tasks: readonly { readonly status: { readonly error: string | null } | null }[];
}

export class BetsEdge {
  readonly edge: Workerd;
  #sent = 0;

  private constructor(edge: Workerd) {
    this.edge = edge;
  }

  static async start(): Promise<BetsEdge> {
    const bets = new BetsEdge(await Workerd.start());
    await bets.execute(STATEMENTS);
    return bets;
  }

  stop(): Promise<void> {
    return this.edge.stop();
  }

  send(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    return send(this.edge, method, path, body, headers);
  }

  async #done(answer: Promise<Answer>): Promise<unknown> {
    const { status, text: said, body } = await answer;
    if (status !== 200) throw new Error(`${status}: ${said}`);
    return body;
  }

  execute(ksql: string): Promise<unknown> {
    return this.#done(this.send('POST', '/ksql', { ksql }));
  }

  restored(order: object): Promise<unknown> {
    return this.#done(this.send('POST', '/restore', order));
  }

  /** Appends so many, a few a request, with the numbers that follow as amounts. */
  async bet(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 10) {
      const records = Array.from({ length: Math.min(left, 10) }, () => {
        const n = this.#sent++;
        const value = { GRP: `g${n % 5}`, AMOUNT: n };
        return { key: `id ${n % 7}`, value, partition: n % PARTITIONS };
      });
      await this.#done(this.send('POST', '/topics/bets/records', { records }));
    }
  }

  /** Bets, and waits until the table has them. */
  async betSettled(count: number): Promise<void> {
    await this.bet(count);
    await this.settled();
  }

  async described(topic: string): Promise<Described> {
    return (await this.#done(this.send('GET', `/topics/${topic}`))) as Described;
  }

  async queries(): Promise<readonly Queried[]> {
    const { queries } = (await this.#done(this.send('GET', '/queries'))) as { queries: Queried[] };
    return queries;
  }

  /** What tasks of the table's query have ended with. */
  async errors(): Promise<string[]> {
    const query = (await this.queries()).find(({ id }) => id === QUERY);
    return query?.tasks.flatMap(({ status }) => status?.error ?? []) ?? ['it is not there'];
  }

  ended(): Promise<readonly string[]> {
    return until(async () => {
      const found = await this.errors();
      return found.length > 0 && found;
    });
  }

  /** What a pull query says. */
  async rows(table = 'totals'): Promise<readonly Row[]> {
    const sql = `SELECT grp, n, total FROM ${table};`;
    const { text: lines } = await this.send('POST', '/query-stream', { sql });
    const [, ...rows] = lines.trim().split('\n');
    return rows.map((line) => JSON.parse(line) as Row).sort(byGroup);
  }

  /** What the topic of bets adds up to. */
  async recount(): Promise<readonly Row[]> {
    const groups = new Map<string, Row>();
    for (const at of partitions) {
      for (const { value } of await fetchAll(this.edge, 'bets', at)) {
        const { GRP, AMOUNT } = JSON.parse(text.decode(value)) as { GRP: string; AMOUNT: number };
        const [, n, total] = groups.get(GRP) ?? [GRP, 0, 0];
        groups.set(GRP, [GRP, n + 1, total + AMOUNT]);
      }
    }
    return [...groups.values()].sort(byGroup);
  }

  async isRecount(table = 'totals'): Promise<boolean> {
    return JSON.stringify(await this.rows(table)) === JSON.stringify(await this.recount());
  }

  /** Bets all the time, whatever is answered. @returns how many requests were taken so far, and when it is over */
  load(signal: AbortSignal): { readonly taken: () => number; readonly over: Promise<void> } {
    let taken = 0;
    const betting = async (): Promise<void> => {
      while (!signal.aborted) {
        const isTaken = await this.bet(10).then(
          () => true,
          () => false,
        );
        if (isTaken) taken += 1;
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    return { taken: () => taken, over: betting() };
  }

  /** Until the table is the recount, and its topic holds each change once. @throws what it is instead */
  async settled(): Promise<void> {
    const expected = await this.recount();
    const inAll = expected.reduce((sum, [, n]) => sum + n, 0);
    let last: unknown = null;
    const isSettled = async (): Promise<boolean> => {
      const { bounds } = await this.described('TOTALS');
      const changes = bounds.reduce((sum, { highWatermark }) => sum + highWatermark, 0);
      last = { rows: await this.rows(), changes };
      return JSON.stringify(last) === JSON.stringify({ rows: expected, changes: inAll });
    };
    await until(isSettled).catch(async (cause: unknown) => {
      const found = JSON.stringify({ last, expected, inAll, errors: await this.errors() });
      throw new Error(found, { cause });
    });
    for (const at of partitions) await this.#checkChanges(at);
  }

  /** Each group's counts follow each other. */
  async #checkChanges(partition: number): Promise<void> {
    const counts = new Map<string, number>();
    for (const { key, value } of await fetchAll(this.edge, 'TOTALS', partition)) {
      const group = text.decode(key);
      const { N } = JSON.parse(text.decode(value)) as { N: number };
      const before = counts.get(group) ?? 0;
      if (N !== before + 1) throw new Error(`${group}: ${N} came after ${before}`);
      counts.set(group, N);
    }
  }

  /** Reads on from a place that was kept, as a mirror does: what came, or what it was told. */
  async read(
    kept: Pick<ConsumerOptions, 'from' | 'incarnation'>,
    transport: 'poll' | 'socket',
  ): Promise<string> {
    const options = { topic: 'bets', partition: 0, ...kept, transport };
    await using consumer = connect({ url: this.edge.url }).consumer(options);
    try {
      for await (const { offset } of consumer) return `read ${offset}`;
      return 'ended';
    } catch (thrown) {
      return thrown instanceof PortError ? thrown.code : String(thrown);
    }
  }

  /** A copy of all objects as they stand; they go on. */
  async backup(): Promise<Backup> {
    await this.edge.kill();
    const kept = new Backup(this.edge.folder);
    await this.edge.restart();
    return kept;
  }

  async putBack(kept: Backup, isChosen?: (name: ObjectName) => boolean): Promise<void> {
    await this.edge.kill();
    if (kept.putBack(this.edge.folder, isChosen).length === 0) throw new Error('none was chosen');
    await this.edge.restart();
  }
}
