// Persons, auctions and bids after Nexmark's, from a generator of our own, as arrays and as topics; knows no query.

import type { Engine } from '../../runtime/engine/engine.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import type { Column } from '../../runtime/data/column.ts';
import { BIGINT, DOUBLE, STRING } from '../../runtime/data/type.ts';
import { draws } from '../support/draws.ts';
import { encodedColumn } from './engine-source.ts';
import { BATCH_ROWS } from './events.ts';

/** Rowtime runs this fast. */
const BIDS_PER_MINUTE = 1_000_000;
const BIDS_PER_AUCTION = 16;
const BIDS_PER_PERSON = 64;
const CATEGORIES = 10;
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];

export interface Persons {
  readonly id: readonly string[];
  readonly name: readonly string[];
  readonly state: readonly string[];
  readonly rowtime: Float64Array;
}

export interface Auctions {
  readonly id: Float64Array;
  readonly seller: readonly string[];
  readonly category: Float64Array;
  readonly rowtime: Float64Array;
}

export interface Bids {
  readonly auction: Float64Array;
  readonly bidder: readonly string[];
  /** Multiples of 1/64, so that sums are exact. */
  readonly price: Float64Array;
  readonly rowtime: Float64Array;
}

/** Arrays by column: row `i` of each is one event. */
export interface Nexmark {
  readonly persons: Persons;
  readonly auctions: Auctions;
  readonly bids: Bids;
}

/** Deterministic; `bidCount` bids and fewer auctions and persons over the same time. */
export function makeNexmark(bidCount: number): Nexmark {
  const below = draws(0x1d872b41);
  const auctionCount = Math.ceil(bidCount / BIDS_PER_AUCTION);
  const personCount = Math.ceil(bidCount / BIDS_PER_PERSON);
  const personId = (i: number): string => `p${i.toString(36)}`;
  const list = <T>(length: number, of: (i: number) => T): T[] =>
    Array.from({ length }, (_, i) => of(i));
  const numbers = (length: number, of: (i: number) => number): Float64Array =>
    Float64Array.from({ length }, (_, i) => of(i));
  // Even for persons and bids, odd for auctions: what is joined never comes at the same moment.
  const times = (length: number, parity: 0 | 1): Float64Array =>
    numbers(length, (i) => {
      const ms = (i * (bidCount / length) * 60_000) / BIDS_PER_MINUTE;
      return Math.floor(ms / 2) * 2 + parity;
    });
  return {
    persons: {
      id: list(personCount, personId),
      name: list(personCount, (i) => `name of ${i}`),
      state: list(personCount, () => STATES[below(STATES.length)] ?? ''),
      rowtime: times(personCount, 0),
    },
    auctions: {
      id: numbers(auctionCount, (i) => i),
      seller: list(auctionCount, (i) =>
        // Half of the auctions are of a person that came shortly before.
        personId(
          i % 2 === 0
            ? below(Math.max(1, Math.floor((i * personCount) / auctionCount)))
            : Math.max(0, Math.floor((i * personCount) / auctionCount) - below(64)),
        ),
      ),
      category: numbers(auctionCount, () => below(CATEGORIES)),
      rowtime: times(auctionCount, 1),
    },
    bids: {
      auction: numbers(bidCount, (i) => below(Math.max(1, Math.floor(i / BIDS_PER_AUCTION)))),
      bidder: list(bidCount, () => personId(below(personCount))),
      price: numbers(bidCount, () => below(65_536) / 64),
      rowtime: times(bidCount, 0),
    },
  };
}

/** Streams first: a topic that a table makes is compacted, and such a one takes no columnar batches. */
const SOURCES = `
  CREATE STREAM new_persons (id STRING KEY, name STRING, state STRING)
    WITH (KAFKA_TOPIC='persons', PARTITIONS=1, FORMAT='COLUMNAR');
  CREATE TABLE persons (id STRING PRIMARY KEY, name STRING, state STRING)
    WITH (KAFKA_TOPIC='persons', FORMAT='COLUMNAR');
  CREATE STREAM new_auctions (id BIGINT KEY, seller STRING, category BIGINT)
    WITH (KAFKA_TOPIC='auctions', PARTITIONS=1, FORMAT='COLUMNAR');
  CREATE TABLE auctions (id BIGINT PRIMARY KEY, seller STRING, category BIGINT)
    WITH (KAFKA_TOPIC='auctions', FORMAT='COLUMNAR');
  CREATE STREAM bids (auction BIGINT KEY, bidder STRING, price DOUBLE)
    WITH (KAFKA_TOPIC='bids', PARTITIONS=1, FORMAT='COLUMNAR');`;

const bigints = (values: Float64Array): Column => ({
  type: BIGINT,
  validity: null,
  storage: 'i64',
  values: BigInt64Array.from(values, BigInt),
});

const doubles = (values: Float64Array): Column => ({
  type: DOUBLE,
  validity: null,
  storage: 'f64',
  values,
});

const texts = (values: readonly string[]): Column => ({
  type: STRING,
  validity: null,
  storage: 'dictionary',
  ...encodedColumn(values),
});

async function fill(
  engine: Engine,
  source: string,
  rowtime: Float64Array,
  columnsOf: (from: number, to: number) => readonly Column[],
): Promise<void> {
  const { schema } = engine.catalog.source(source);
  for (let from = 0; from < rowtime.length; from += BATCH_ROWS) {
    const to = Math.min(from + BATCH_ROWS, rowtime.length);
    const batch: Batch = {
      schema,
      length: to - from,
      selection: null,
      columns: columnsOf(from, to),
      valueNull: null,
      keyNull: null,
      rowtime: rowtime.slice(from, to),
      op: null,
      origin: null,
    };
    await engine.insertBatch(source, batch);
  }
}

/** Makes the sources and fills their topics. */
export async function fillNexmark(engine: Engine, nexmark: Nexmark): Promise<void> {
  await engine.execute(SOURCES);
  const { persons, auctions, bids } = nexmark;
  await fill(engine, 'NEW_PERSONS', persons.rowtime, (from, to) =>
    [persons.id, persons.name, persons.state].map((column) => texts(column.slice(from, to))),
  );
  await fill(engine, 'NEW_AUCTIONS', auctions.rowtime, (from, to) => [
    bigints(auctions.id.slice(from, to)),
    texts(auctions.seller.slice(from, to)),
    bigints(auctions.category.slice(from, to)),
  ]);
  await fill(engine, 'BIDS', bids.rowtime, (from, to) => [
    bigints(bids.auction.slice(from, to)),
    texts(bids.bidder.slice(from, to)),
    doubles(bids.price.slice(from, to)),
  ]);
}
