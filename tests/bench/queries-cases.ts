// The statements of suite `queries`, and the topics of a shop that they read; knows no engine.

import type { ProducedRecord } from '../../runtime/engine/insert.ts';
import { type Draw, draws } from '../support/draws.ts';

/** A topic of the shop, with the statement of its stream or table. */
export interface Topic {
  readonly name: string;
  readonly statement: string;
  /** The record that comes `at` as one of them. */
  readonly record: (at: number, below: Draw) => ProducedRecord;
}

const CUSTOMERS = 1000;
const REGIONS = 20;
const STARTED_MS = Date.UTC(2026, 0, 1);
/** Tables are known before the streams begin. */
const KNOWN_MS = STARTED_MS - 86_400_000;
/** Between one record of a stream and the next. */
const STEP_MS = 20;

const orders: Topic = {
  name: 'orders',
  statement: `CREATE STREAM orders (customer STRING KEY, id BIGINT, article STRING, region STRING, price DOUBLE, paid DECIMAL(12, 2),
      tags ARRAY<STRING>, counts MAP<STRING, INTEGER>, address STRUCT<floor INTEGER, street STRING>, note STRING, placed BIGINT)
    WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', TIMESTAMP='placed', PARTITIONS=1);`,
  record: (at, below) => ({
    key: `customer ${below(CUSTOMERS)}`,
    value: JSON.stringify({
      id: at,
      article: `a-${below(5000)}`,
      region: `region ${below(REGIONS)}`,
      price: below(10_000) / 100,
      paid: below(100_000) / 100,
      tags: ['new', `tag ${at % 7}`, 'gift'],
      counts: { left: at % 100, sold: 2 },
      address: { floor: at % 50, street: 'Long Street' },
      note: JSON.stringify({ to: { name: `n${at % 100}` }, text: 'with thanks' }),
      placed: STARTED_MS + at * STEP_MS,
    }),
  }),
};

const payments: Topic = {
  name: 'payments',
  statement: `CREATE STREAM payments (customer STRING KEY, sum DOUBLE, made BIGINT)
    WITH (KAFKA_TOPIC='payments', VALUE_FORMAT='JSON', TIMESTAMP='made', PARTITIONS=1);`,
  record: (at, below) => ({
    key: `customer ${below(CUSTOMERS)}`,
    value: JSON.stringify({ sum: at, made: STARTED_MS + at * STEP_MS }),
  }),
};

const customers: Topic = {
  name: 'customers',
  statement: `CREATE TABLE customers (customer STRING PRIMARY KEY, city STRING, points INTEGER, seen BIGINT)
    WITH (KAFKA_TOPIC='customers', VALUE_FORMAT='JSON', TIMESTAMP='seen', PARTITIONS=1);`,
  record: (at) => ({
    key: `customer ${at % CUSTOMERS}`,
    value: JSON.stringify({ city: `city ${at % 30}`, points: at % 100, seen: KNOWN_MS + at }),
  }),
};

const accounts: Topic = {
  name: 'accounts',
  statement: `CREATE TABLE accounts (account STRING PRIMARY KEY, owner STRING, balance INTEGER, booked BIGINT)
    WITH (KAFKA_TOPIC='accounts', VALUE_FORMAT='JSON', TIMESTAMP='booked', PARTITIONS=1);`,
  record: (at) => ({
    key: `customer ${(at * 7) % CUSTOMERS}`,
    value: JSON.stringify({ owner: `customer ${at % 50}`, balance: at, booked: KNOWN_MS + at }),
  }),
};

/** Records of a topic, the same each time. */
export function recordsOf({ record }: Topic, count: number): ProducedRecord[] {
  const below = draws(0x3c6ef372);
  return Array.from({ length: count }, (_, at) => record(at, below));
}

export interface QueryCase {
  readonly name: string;
  /** A push query. */
  readonly sql: string;
  /** Each gets as many records. */
  readonly topics: readonly Topic[];
}

const of = (topics: readonly Topic[], queries: Readonly<Record<string, string>>): QueryCase[] =>
  Object.entries(queries).map(([name, sql]) => ({ name, sql: `${sql} EMIT CHANGES;`, topics }));

const MINUTE = 'WINDOW TUMBLING (SIZE 1 MINUTE)';

export const QUERY_CASES: readonly QueryCase[] = [
  ...of([orders], {
    'all columns': 'SELECT * FROM orders',
    'a filter': `SELECT customer, price FROM orders WHERE region = 'region 3'`,
    LIKE: `SELECT customer FROM orders WHERE article LIKE '%99%'`,
    'IN a list': `SELECT customer FROM orders WHERE region IN ('region 1', 'region 2', 'region 3')`,
    CASE: `SELECT customer, CASE WHEN price > 90 THEN UCASE(article) WHEN price > 50 THEN article ELSE region END AS x FROM orders`,
    'casts to text':
      'SELECT customer, CAST(price AS STRING) AS a, CAST(id AS STRING) AS b, CAST(paid AS STRING) AS c FROM orders',
    'DECIMAL arithmetic': 'SELECT customer, paid * 1.19 AS a, ROUND(paid, 1) AS b FROM orders',
    'fields of a struct': 'SELECT customer, address->floor AS a, address->street AS b FROM orders',
    'an item of an array, of a map': `SELECT customer, tags[1] AS a, counts['left'] AS b FROM orders`,
    TRANSFORM: 'SELECT customer, TRANSFORM(tags, t => UCASE(t)) AS x FROM orders',
    FILTER: `SELECT customer, FILTER(tags, t => t LIKE 'tag 1%') AS x FROM orders`,
    REDUCE: 'SELECT customer, REDUCE(tags, 0, (s, t) => s + LEN(t)) AS x FROM orders',
    EXPLODE: 'SELECT customer, EXPLODE(tags) AS x FROM orders',
    SPLIT: `SELECT customer, SPLIT(article, '-') AS x FROM orders`,
    REGEXP_EXTRACT: `SELECT customer, REGEXP_EXTRACT('a-(.)', article, 1) AS x FROM orders`,
    'MASK, MD5': 'SELECT customer, MASK(article) AS a, MD5(article) AS b FROM orders',
    UUID: 'SELECT customer, UUID() AS x FROM orders',
    EXTRACTJSONFIELD: `SELECT customer, EXTRACTJSONFIELD(note, '$.to.name') AS x FROM orders`,
    JSON_RECORDS: 'SELECT customer, JSON_RECORDS(note) AS x FROM orders',
    TO_JSON_STRING: 'SELECT customer, TO_JSON_STRING(address) AS x FROM orders',
    FORMAT_TIMESTAMP: `SELECT customer, FORMAT_TIMESTAMP(FROM_UNIXTIME(placed), 'yyyy-MM-dd HH:mm:ss', 'Europe/Zurich') AS x FROM orders`,
    PARSE_TIMESTAMP: `SELECT customer, PARSE_TIMESTAMP(FORMAT_TIMESTAMP(FROM_UNIXTIME(placed), 'yyyy-MM-dd'), 'yyyy-MM-dd') AS x FROM orders`,
    'PARTITION BY': 'SELECT article, price FROM orders PARTITION BY article',
    'COUNT, SUM': 'SELECT customer, COUNT(*) AS a, SUM(price) AS b FROM orders GROUP BY customer',
    'SUM of DECIMAL': 'SELECT region, SUM(paid) AS x FROM orders GROUP BY region',
    'MIN, MAX of texts':
      'SELECT region, MIN(article) AS a, MAX(article) AS b FROM orders GROUP BY region',
    LATEST_BY_OFFSET:
      'SELECT customer, LATEST_BY_OFFSET(article) AS a, LATEST_BY_OFFSET(address) AS b FROM orders GROUP BY customer',
    COUNT_DISTINCT: 'SELECT region, COUNT_DISTINCT(article) AS x FROM orders GROUP BY region',
    TOPK: 'SELECT region, TOPK(price, 5) AS x FROM orders GROUP BY region',
    TOPKDISTINCT: 'SELECT region, TOPKDISTINCT(price, 5) AS x FROM orders GROUP BY region',
    STDDEV_SAMP: 'SELECT region, STDDEV_SAMP(price) AS x FROM orders GROUP BY region',
    HISTOGRAM: 'SELECT region, HISTOGRAM(tags[2]) AS x FROM orders GROUP BY region',
    'COLLECT_LIST in windows': `SELECT region, COLLECT_LIST(article) AS x FROM orders ${MINUTE} GROUP BY region`,
    HAVING: 'SELECT customer, COUNT(*) AS x FROM orders GROUP BY customer HAVING COUNT(*) > 5',
    'GROUP BY three columns':
      'SELECT customer, region, article, COUNT(*) AS x FROM orders GROUP BY customer, region, article',
    'GROUP BY an expression':
      'SELECT SUBSTRING(article, 1, 3) AS x, COUNT(*) AS n FROM orders GROUP BY SUBSTRING(article, 1, 3)',
    'GROUP BY a struct': 'SELECT address, COUNT(*) AS x FROM orders GROUP BY address',
    windows: `SELECT customer, COUNT(*) AS a, AVG(price) AS b FROM orders ${MINUTE} GROUP BY customer`,
    'hopping windows, 60 at once':
      'SELECT region, COUNT(*) AS x FROM orders WINDOW HOPPING (SIZE 1 MINUTE, ADVANCE BY 1 SECOND) GROUP BY region',
    sessions:
      'SELECT customer, COUNT(*) AS x FROM orders WINDOW SESSION (30 SECONDS) GROUP BY customer',
    'sliding windows':
      'SELECT region, COUNT(*) AS x FROM orders WINDOW SLIDING (SIZE 2 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY region',
  }),
  ...of([orders, payments], {
    'streams joined':
      'SELECT orders.customer, price, sum FROM orders JOIN payments WITHIN 10 SECONDS ON orders.customer = payments.customer',
    'streams joined, LEFT':
      'SELECT orders.customer, price, sum FROM orders LEFT JOIN payments WITHIN 10 SECONDS GRACE PERIOD 1 SECONDS ON orders.customer = payments.customer',
  }),
  ...of([orders, customers], {
    'a table joined':
      'SELECT orders.customer, price, city FROM orders LEFT JOIN customers ON orders.customer = customers.customer',
    'a table joined, then COUNT':
      'SELECT city, COUNT(*) AS a, SUM(price) AS b FROM orders JOIN customers ON orders.customer = customers.customer GROUP BY city',
  }),
  ...of([customers], {
    'a table, filtered': 'SELECT customer, UCASE(city) AS x FROM customers WHERE points > 3',
    'a table, grouped': 'SELECT city, COUNT(*) AS a, SUM(points) AS b FROM customers GROUP BY city',
  }),
  ...of([customers, accounts], {
    'tables joined':
      'SELECT customers.customer, city, balance FROM customers JOIN accounts ON customers.customer = accounts.account',
    'tables joined by a foreign key':
      'SELECT account, balance, city FROM accounts JOIN customers ON accounts.owner = customers.customer',
  }),
];
