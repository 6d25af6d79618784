// The kernel suite's query by other libraries over rows or columns in memory; knows no kernel.

import { DatabaseSync } from 'node:sqlite';

import { D2, groupBy, groupByOperators, output } from '@tanstack/db-ivm';
import { op, table } from 'arquero';
import { groupBy as groupByRx, map, mergeMap, scan, Subject as Source } from 'rxjs';

import type { Events } from './events.ts';
import { SIZE_MS } from './kernel-subjects.ts';
import type { Subject } from './run.ts';

interface Event {
  readonly k: string;
  readonly w: number;
  readonly x: number;
}

interface Totals {
  readonly group: string;
  readonly n: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

const windowOf = (rowtime: number | undefined): number =>
  Math.floor((rowtime ?? 0) / SIZE_MS) * SIZE_MS;

/** Events as objects, a list per batch. */
function objectsOf(events: Events): Event[][] {
  return events.batches.map(({ keys, rowtime, value }) =>
    keys.map((k, i) => ({ k, w: windowOf(rowtime[i]), x: value[i] ?? 0 })),
  );
}

const NOTHING: Omit<Totals, 'group'> = { n: 0, sum: 0, min: Infinity, max: -Infinity, mean: NaN };

/** An observable per group; after each batch the last totals of those that changed are read. */
export function rxjs(events: Events): Subject {
  const batches = objectsOf(events);
  return {
    subject: 'rxjs',
    prepare: () => () => {
      const source = new Source<Event>();
      const changed = new Map<string, Totals>();
      source
        .pipe(
          groupByRx(({ w, k }) => `${w}|${k}`),
          mergeMap((group) =>
            group.pipe(
              scan(({ n, sum, min, max }, { x }) => {
                const total = sum + x;
                return {
                  n: n + 1,
                  sum: total,
                  min: Math.min(min, x),
                  max: Math.max(max, x),
                  mean: total / (n + 1),
                };
              }, NOTHING),
              map((totals) => ({ group: group.key, ...totals })),
            ),
          ),
        )
        .subscribe((totals) => changed.set(totals.group, totals));
      let checksum = 0;
      for (const batch of batches) {
        for (const event of batch) source.next(event);
        checksum += changed.size;
        for (const { sum } of changed.values()) checksum += sum;
        changed.clear();
      }
      source.complete();
      return checksum;
    },
  };
}

/** Differential dataflow: a multiset of rows in, retractions and rows out. */
export function dbIvm(events: Events): Subject {
  const batches = objectsOf(events).map((batch) =>
    batch.map((event): [Event, number] => [event, 1]),
  );
  const { sum, count, avg, min, max } = groupByOperators;
  return {
    subject: '@tanstack/db-ivm',
    prepare: () => () => {
      const graph = new D2();
      const input = graph.newInput<Event>();
      let checksum = 0;
      input.pipe(
        groupBy(({ k, w }: Event) => ({ k, w }), {
          n: count(({ x }: Event) => x),
          sum: sum(({ x }: Event) => x),
          min: min(({ x }: Event) => x),
          max: max(({ x }: Event) => x),
          mean: avg(({ x }: Event) => x),
        }),
        output((rows) => {
          for (const [[, row], multiplicity] of rows.getInner())
            if (multiplicity > 0) checksum += 1 + row.sum;
        }),
      );
      graph.finalize();
      for (const batch of batches) {
        input.sendData(batch);
        graph.run();
      }
      return checksum;
    },
  };
}

/** Columns over all batches. */
function columnsOf(events: Events) {
  const k = events.batches.flatMap(({ keys }) => keys);
  const t = new Float64Array(events.count);
  const x = new Float64Array(events.count);
  let at = 0;
  for (const { rowtime, value, length } of events.batches) {
    t.set(rowtime, at);
    x.set(value, at);
    at += length;
  }
  return { k, t, x };
}

/** One query over all events, its result read once. */
export function arquero(events: Events): Subject {
  const columns = table(columnsOf(events));
  return {
    subject: 'arquero, a batch',
    prepare: () => () => {
      const result = columns
        .groupby({
          k: 'd => d.k',
          w: `d => op.floor(d.t / ${SIZE_MS})`,
        })
        .rollup({
          n: op.count(),
          sum: op.sum('x'),
          min: op.min('x'),
          max: op.max('x'),
          mean: op.mean('x'),
        });
      let checksum = result.numRows();
      for (const sum of result.array('sum') as ArrayLike<number> & Iterable<number>)
        checksum += sum;
      return checksum;
    },
  };
}

/** A table in memory; the query's rows are counted and summed in SQLite, so that no row crosses over. */
export function sqlite(events: Events): Subject & { end(): void } {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE events (k TEXT, t INTEGER, x REAL); BEGIN');
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?)');
  for (const { keys, rowtime, value } of events.batches)
    keys.forEach((key, i) => insert.run(key, rowtime[i] ?? 0, value[i] ?? 0));
  database.exec('COMMIT');
  const query =
    database.prepare(`SELECT COUNT(*) + SUM(s) AS checksum, SUM(n) + MIN(least) + MAX(most) + AVG(mean) AS used FROM (
    SELECT COUNT(*) AS n, SUM(x) AS s, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean FROM events GROUP BY k, t / ${SIZE_MS})`);
  return {
    subject: 'sqlite, a batch',
    prepare: () => () => Number(query.get()?.checksum),
    end: () => database.close(),
  };
}
