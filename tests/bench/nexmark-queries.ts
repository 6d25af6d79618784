// The nine queries after Nexmark's as SQL and as hand-written JavaScript, which makes an object per change; knows no engine.

import type { Nexmark } from './nexmark-events.ts';

/** A change handed on: column by column as the query names them, numbers and strings. */
export type Row = Readonly<Record<string, number | string>>;

export interface NexmarkQuery {
  readonly name: string;
  readonly sql: string;
  /** Whether the kernel path applies. */
  readonly hasKernel: boolean;
  /** Events read: what a figure counts. */
  readonly events: (nexmark: Nexmark) => number;
  readonly fold: (nexmark: Nexmark) => Row[];
}

const bidCount = ({ bids }: Nexmark): number => bids.rowtime.length;

const LOCAL_STATES = new Set(['OR', 'ID', 'CA']);
const LOCAL_CATEGORY = 3;
const HOT_SIZE_MS = 10_000;
const HOT_ADVANCE_MS = 2_000;
const NEW_WITHIN_MS = 100;
const SESSION_GAP_MS = 100;
const MINUTE_MS = 60_000;

function currency({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < bids.rowtime.length; i += 1)
    rows.push({
      auction: bids.auction[i] ?? 0,
      bidder: bids.bidder[i] ?? '',
      euro: (bids.price[i] ?? 0) * 0.908,
    });
  return rows;
}

function selection({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < bids.rowtime.length; i += 1) {
    const auction = bids.auction[i] ?? 0;
    if (auction % 123 === 0) rows.push({ auction, price: bids.price[i] ?? 0 });
  }
  return rows;
}

/** A person counts from its rowtime on, as rows of a table do. */
function localItems({ persons, auctions }: Nexmark): Row[] {
  const rows: Row[] = [];
  const known = new Map(
    persons.id.map((id, i) => [
      id,
      { name: persons.name[i] ?? '', state: persons.state[i] ?? '', came: persons.rowtime[i] ?? 0 },
    ]),
  );
  for (let i = 0; i < auctions.rowtime.length; i += 1) {
    if (auctions.category[i] !== LOCAL_CATEGORY) continue;
    const seller = auctions.seller[i] ?? '';
    const person = known.get(seller);
    if (person === undefined || person.came > (auctions.rowtime[i] ?? 0)) continue;
    if (!LOCAL_STATES.has(person.state)) continue;
    rows.push({ seller, name: person.name, state: person.state, id: auctions.id[i] ?? 0 });
  }
  return rows;
}

function categories({ auctions, bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  const known = new Map<number, { category: number; came: number }>();
  auctions.id.forEach((id, i) =>
    known.set(id, { category: auctions.category[i] ?? 0, came: auctions.rowtime[i] ?? 0 }),
  );
  const totals = new Map<number, { n: number; sum: number }>();
  for (let i = 0; i < bids.rowtime.length; i += 1) {
    const auction = known.get(bids.auction[i] ?? 0);
    if (auction === undefined || auction.came > (bids.rowtime[i] ?? 0)) continue;
    const { category } = auction;
    let total = totals.get(category);
    if (total === undefined) totals.set(category, (total = { n: 0, sum: 0 }));
    total.n += 1;
    total.sum += bids.price[i] ?? 0;
    rows.push({ category, n: total.n, mean: total.sum / total.n });
  }
  return rows;
}

function hotItems({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  const windows = new Map<number, Map<number, number>>();
  for (let i = 0; i < bids.rowtime.length; i += 1) {
    const time = bids.rowtime[i] ?? 0;
    const auction = bids.auction[i] ?? 0;
    const first = Math.max(0, time - HOT_SIZE_MS + HOT_ADVANCE_MS);
    let started = Math.floor(first / HOT_ADVANCE_MS) * HOT_ADVANCE_MS;
    for (; started <= time; started += HOT_ADVANCE_MS) {
      let window = windows.get(started);
      if (window === undefined) {
        windows.set(started, (window = new Map()));
        for (const start of windows.keys()) if (start + HOT_SIZE_MS <= time) windows.delete(start);
      }
      const n = (window.get(auction) ?? 0) + 1;
      window.set(auction, n);
      rows.push({ auction, started, n });
    }
  }
  return rows;
}

/** Folds into one object per key and minute, and lets go of minutes gone by. */
function byMinute<K, T>(
  bids: Nexmark['bids'],
  keyOf: (i: number) => K,
  begin: () => T,
  fold: (total: T, i: number, key: K, started: number) => void,
): void {
  let started = -1;
  let totals = new Map<K, T>();
  for (let i = 0; i < bids.rowtime.length; i += 1) {
    const minute = Math.floor((bids.rowtime[i] ?? 0) / MINUTE_MS) * MINUTE_MS;
    if (minute !== started) {
      started = minute;
      totals = new Map();
    }
    const key = keyOf(i);
    let total = totals.get(key);
    if (total === undefined) totals.set(key, (total = begin()));
    fold(total, i, key, started);
  }
}

function highest({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  byMinute(
    bids,
    (i) => bids.auction[i] ?? 0,
    () => ({ most: -Infinity }),
    (total, i, auction, started) => {
      const price = bids.price[i] ?? 0;
      if (price > total.most) total.most = price;
      rows.push({ auction, started, most: total.most });
    },
  );
  return rows;
}

function bidders({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  byMinute(
    bids,
    (i) => bids.bidder[i] ?? '',
    () => ({ n: 0, sum: 0, least: Infinity, most: -Infinity }),
    (total, i, bidder, started) => {
      const price = bids.price[i] ?? 0;
      total.n += 1;
      total.sum += price;
      if (price < total.least) total.least = price;
      if (price > total.most) total.most = price;
      const { n, sum, least, most } = total;
      rows.push({ bidder, started, n, total: sum, least, most, mean: sum / n });
    },
  );
  return rows;
}

/** Each pair once, whichever of the two comes last. */
function newSellers({ persons, auctions }: Nexmark): Row[] {
  const rows: Row[] = [];
  const known = new Map<string, number>();
  persons.id.forEach((id, i) => known.set(id, persons.rowtime[i] ?? 0));
  for (let i = 0; i < auctions.rowtime.length; i += 1) {
    const seller = auctions.seller[i] ?? '';
    const came = known.get(seller);
    if (came === undefined || Math.abs((auctions.rowtime[i] ?? 0) - came) > NEW_WITHIN_MS) continue;
    rows.push({ seller, id: auctions.id[i] ?? 0 });
  }
  return rows;
}

/** Rowtimes rise, so that a bidder has one open session. */
function sessions({ bids }: Nexmark): Row[] {
  const rows: Row[] = [];
  const open = new Map<string, { started: number; ended: number; n: number }>();
  for (let i = 0; i < bids.rowtime.length; i += 1) {
    const bidder = bids.bidder[i] ?? '';
    const time = bids.rowtime[i] ?? 0;
    let session = open.get(bidder);
    if (session === undefined || time - session.ended > SESSION_GAP_MS)
      open.set(bidder, (session = { started: time, ended: time, n: 0 }));
    session.ended = time;
    session.n += 1;
    rows.push({ bidder, started: session.started, ended: session.ended, n: session.n });
  }
  return rows;
}

export const NEXMARK_QUERIES: readonly NexmarkQuery[] = [
  {
    name: 'currency conversion',
    sql: 'SELECT auction, bidder, price * 0.908E0 AS euro FROM bids EMIT CHANGES;',
    hasKernel: false,
    events: bidCount,
    fold: currency,
  },
  {
    name: 'selection',
    sql: 'SELECT auction, price FROM bids WHERE auction % 123 = 0 EMIT CHANGES;',
    hasKernel: false,
    events: bidCount,
    fold: selection,
  },
  {
    name: 'local items: auctions with persons',
    sql: `SELECT a.seller AS seller, p.name AS name, p.state AS state, a.id AS id
      FROM new_auctions a JOIN persons p ON a.seller = p.id
      WHERE a.category = ${LOCAL_CATEGORY} AND p.state IN ('OR', 'ID', 'CA') EMIT CHANGES;`,
    hasKernel: false,
    events: ({ auctions }) => auctions.rowtime.length,
    fold: localItems,
  },
  {
    name: 'mean price by category: bids with auctions',
    sql: `SELECT a.category AS category, COUNT(*) AS n, AVG(b.price) AS mean
      FROM bids b JOIN auctions a ON b.auction = a.id GROUP BY a.category EMIT CHANGES;`,
    hasKernel: true,
    events: bidCount,
    fold: categories,
  },
  {
    name: 'hot items, hopping windows',
    sql: `SELECT auction, WINDOWSTART AS started, COUNT(*) AS n
      FROM bids WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 0 SECONDS)
      GROUP BY auction EMIT CHANGES;`,
    hasKernel: true,
    events: bidCount,
    fold: hotItems,
  },
  {
    name: 'highest bid per auction and minute',
    sql: `SELECT auction, WINDOWSTART AS started, MAX(price) AS most
      FROM bids WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 0 SECONDS) GROUP BY auction EMIT CHANGES;`,
    hasKernel: true,
    events: bidCount,
    fold: highest,
  },
  {
    name: 'new sellers: persons with auctions in time',
    sql: `SELECT a.seller AS seller, a.id AS id
      FROM new_auctions a JOIN new_persons p WITHIN ${NEW_WITHIN_MS} MILLISECONDS GRACE PERIOD 1 MINUTE
      ON a.seller = p.id EMIT CHANGES;`,
    hasKernel: false,
    events: ({ auctions, persons }) => auctions.rowtime.length + persons.rowtime.length,
    fold: newSellers,
  },
  {
    name: 'bids per session of a bidder',
    sql: `SELECT bidder, WINDOWSTART AS started, WINDOWEND AS ended, COUNT(*) AS n
      FROM bids WINDOW SESSION (${SESSION_GAP_MS} MILLISECONDS, GRACE PERIOD 0 SECONDS) GROUP BY bidder EMIT CHANGES;`,
    hasKernel: true,
    events: bidCount,
    fold: sessions,
  },
  {
    name: 'five aggregates per bidder and minute',
    sql: `SELECT bidder, WINDOWSTART AS started, COUNT(*) AS n, SUM(price) AS total, MIN(price) AS least, MAX(price) AS most, AVG(price) AS mean
      FROM bids WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 0 SECONDS) GROUP BY bidder EMIT CHANGES;`,
    hasKernel: true,
    events: bidCount,
    fold: bidders,
  },
];
