// Tasks, the catalog and everything put back to an older state, alone and together, under load: tables are a recount of the logs, and no command is lost.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { BetsEdge, isPartitionOf, isTask, PARTITIONS, QUERY } from '../../support/bets-edge.ts';
import { until } from '../../support/edge-client.ts';
import type { ObjectName } from '../../support/object-files.ts';

/** What POST /restore answers. */
interface RestoreAnswer {
  readonly topics: readonly { readonly name: string }[];
  readonly tasks: readonly string[];
  readonly ended: readonly string[];
}

let edge: BetsEdge;
/** What may be put back: logs, to one state, and tasks, to the same or an earlier one. */
const CHOICES: readonly (readonly [string, (name: ObjectName) => boolean])[] = [
  ['one task', (name) => name === `processor ${QUERY}/1/1`],
  ['all tasks', isTask],
  [
    'what the last tasks write, and they',
    (name) => isPartitionOf('TOTALS')(name) || name.startsWith(`processor ${QUERY}/1/`),
  ],
  ['all but the input', (name) => name !== 'catalog' && !isPartitionOf('bets')(name)],
  ['all but the catalog', (name) => name !== 'catalog'],
  ['all', () => true],
];

describe('what was put back', () => {
  beforeEach(async () => {
    edge = await BetsEdge.start();
  });
  afterEach(() => edge.stop());

  test('a task that was put back makes the same records again, and none comes twice', async () => {
    await edge.betSettled(40);
    using first = await edge.backup();
    for (let round = 0; round < 3; round++) {
      await edge.betSettled(30);
      await edge.putBack(first, isTask);
      await edge.settled();
      await edge.putBack(first, (name) => name.endsWith(`${QUERY}/1/0`));
      await edge.betSettled(11);
    }
    expect(await edge.errors()).toEqual([]);
  });

  test('a catalog that was put back gives out no number twice, and what it knows nothing of ends', async () => {
    await edge.betSettled(20);
    await edge.send('POST', '/topics', { name: 'later' });
    await edge.send('DELETE', '/topics/later');
    using kept = await edge.backup();
    await edge.send('POST', '/topics', { name: 'later' });
    await edge.send('POST', '/topics/later/records', { records: [{ value: 'of before' }] });
    await edge.execute(`PAUSE ${QUERY};`);
    await edge.execute('CREATE TABLE others AS SELECT grp, COUNT(*) AS n FROM bets GROUP BY grp;');
    await until(async () => (await edge.described('OTHERS')).bounds.length === PARTITIONS);
    await edge.bet(20);
    await edge.putBack(kept, (name) => name === 'catalog');
    const answer = (await edge.restored({ all: true })) as RestoreAnswer;
    expect(answer).toMatchObject({ newer: [] });
    expect(answer.ended.some((name) => name.includes('CTAS_OTHERS_4'))).toBe(true);
    expect(answer.tasks).toContain(`${QUERY}/0/0`);
    // It was not paused at that time.
    await edge.settled();
    // Statements take effect, under numbers that no task has heard of.
    await edge.execute(
      'CREATE TABLE again AS SELECT grp, COUNT(*) AS n, SUM(amount) AS total FROM bets GROUP BY grp;',
    );
    await until(() => edge.isRecount('again'));
    await edge.execute(`PAUSE ${QUERY};`);
    await edge.bet(20);
    await until(() => edge.isRecount('again'));
    expect(await edge.isRecount()).toBe(false);
    await edge.execute(`RESUME ${QUERY};`);
    await edge.settled();
    // A topic that it did not know is made anew, and empty.
    expect(await edge.send('POST', '/topics', { name: 'later' })).toMatchObject({ status: 201 });
    await edge.send('POST', '/topics/later/records', { records: [{ value: 'of now' }] });
    expect(await edge.send('GET', '/topics/later/partitions/0/records')).toMatchObject({
      body: { records: [{ offset: 0, value: 'of now' }], highWatermark: 1 },
    });
    const ended = (await edge.queries()).filter(({ id }) => id.includes('OTHERS'));
    expect(ended).toEqual([]);
  });

  test('everything that was put back goes on from there, and mirrors are told', async () => {
    await edge.betSettled(50);
    const { incarnation } = await edge.described('bets');
    using kept = await edge.backup();
    await edge.betSettled(30);
    await edge.putBack(kept);
    const { topics } = (await edge.restored({ all: true })) as RestoreAnswer;
    expect(topics.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['TOTALS', 'bets', '__processing_log']),
    );
    await edge.settled();
    await edge.betSettled(60);
    for (const from of [20, 35, 40])
      expect(await edge.read({ from, incarnation }, 'poll')).toBe('INCARNATION_CHANGED');
    expect(await edge.errors()).toEqual([]);
  });

  test('under load, whatever is put back together, tables are a recount of what the logs hold', async () => {
    // Each task has committed: one that is put back to before its first commit may not go on once its inputs were announced as put back.
    await edge.betSettled(40);
    const random = seededRandom(7);
    const stop = new AbortController();
    const load = edge.load(stop.signal);
    /** For a while, and until something was taken in it. */
    const rest = async (): Promise<void> => {
      const before = load.taken();
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 300));
      await until(async () => load.taken() > before);
    };
    let putBack = 0;
    for (const [what, isChosen] of CHOICES) {
      await rest();
      using tasks = await edge.backup();
      await rest();
      using logs = await edge.backup();
      await rest();
      // Before, so that what is put back takes nothing before it is told, and behind it.
      await edge.restored({ all: true });
      await edge.edge.kill();
      const { folder } = edge.edge;
      putBack += logs.putBack(folder, (name) => isChosen(name) && !isTask(name)).length;
      putBack += tasks.putBack(folder, (name) => isChosen(name) && isTask(name)).length;
      await edge.edge.restart();
      await edge.restored({ all: true });
      await rest();
      expect({ what, errors: await edge.errors() }).toEqual({ what, errors: [] });
    }
    stop.abort();
    await load.over;
    await edge.settled();
    expect(putBack).toBeGreaterThan(20);
    expect(await edge.errors()).toEqual([]);
  });
});

describe('an order that cannot be', () => {
  beforeAll(async () => {
    edge = await BetsEdge.start();
  });
  afterAll(() => edge.stop());

  test.each([
    [{ all: true, toMs: 1 }, 400, /not to be had here: .* does not implement/],
    [{ topic: 'bets', toMs: 1 }, 400, /not to be had here/],
    [{ query: QUERY, toMs: 1 }, 400, /not to be had here/],
    [{ query: QUERY }, 400, /put back to a time/],
    [{ topic: 'bets', partition: 2 }, 404, /no partition 2/],
    [{ topic: 'bets', partition: -1 }, 400, /a number of a partition/],
    [{ topic: 'nowhere' }, 404, /'nowhere' does not exist/],
    [{ topic: 'bets', all: true }, 400, /send one of/],
    [{ all: true, partition: 1 }, 400, /send one of/],
    [{ all: true, toMs: 'now' }, 400, /toMs is ms/],
    [{ all: true, to: 1 }, 400, /no member 'to'/],
    [[], 400, /send one of/],
  ])('%j is refused, and changes nothing', async (order, status, message) => {
    const before = await edge.described('bets');
    expect(await edge.send('POST', '/restore', order)).toMatchObject({
      status,
      body: { message: expect.stringMatching(message) },
    });
    expect(await edge.described('bets')).toEqual(before);
  });
});
