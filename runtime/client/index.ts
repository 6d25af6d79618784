// The entry of millrace/client: an edge from a page, a Worker or Node, over fetch alone; has no engine of its own.

import { Connection, type ConnectOptions } from './connection.ts';
import { Consumer, type ConsumerOptions } from './consumer.ts';
import { Migrations } from './migrations.ts';
import { Producer, type ProducerOptions } from './producer.ts';
import { query, type QueryOptions } from './ask.ts';
import type { AnswerRows } from './query.ts';
import { execute, type ExecuteOptions } from './statements.ts';
import { Topics } from './topics.ts';
import type { Entity } from '../engine/status.ts';

/** One edge, as its clients see it. It holds nothing open by itself: producers, consumers and queries do, and each is ended by itself. */
export class Client {
  /** Makes, describes, lists and deletes topics. */
  readonly topics: Topics;
  /** Applies texts of statements once each, and tells which were. */
  readonly migrations: Migrations;
  /** The way to the edge, for what is built on it. */
  readonly connection: Connection;

  /** Use `connect`. */
  constructor(connection: Connection) {
    this.connection = connection;
    this.topics = new Topics(connection);
    this.migrations = new Migrations(connection);
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Client';
  }

  /** @throws as `execute` of statements.ts: {StatementError} of the first that fails; those before it stay done */
  execute(sql: string, options?: ExecuteOptions): Promise<readonly Entity[]> {
    return execute(this.connection, sql, options);
  }

  /** Asks (pull) or subscribes (push, EMIT CHANGES). @throws {StatementError} what is wrong with the text */
  query(sql: string, options?: QueryOptions): Promise<AnswerRows> {
    return query(this.connection, sql, options);
  }

  /** Appends records, each once. */
  producer(options?: ProducerOptions): Producer {
    return new Producer(this.connection, options);
  }

  /** Reads the records of a topic, each once. */
  consumer(options: ConsumerOptions): Consumer {
    return new Consumer(this.connection, options);
  }
}

/**
 * A client of the edge at `url`. Nothing is sent before something is asked for.
 *
 * ```ts
 * const edge = connect({ url: 'https://events.example.com', token });
 * await using producer = edge.producer();
 * const { partition, offset } = await producer.send('orders', { key: 'o-1', value: '{"total": 12}' });
 * for await (const row of await edge.query('SELECT * FROM totals EMIT CHANGES;')) console.log(row);
 * ```
 *
 * Where size counts, `Connection`, `Producer`, `Consumer`, `Topics`, `Migrations`, `execute` and `query` are there one by one.
 */
export function connect(options: ConnectOptions): Client {
  return new Client(new Connection(options));
}

export {
  InvariantError,
  LimitError,
  PortError,
  RecordError,
  StatementError,
} from '../base/errors.ts';
export type { PublicOptions, PublicRow, PublicValue } from '../data/row.ts';
export type { RecordBatch, RecordHeader } from '../data/record.ts';
export type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
export type { QueryColumn } from '../engine/query-rows.ts';
export type { TopicRecord } from '../data/topic-record.ts';
export type { TopicDescription } from '../ports/log.ts';
export { EdgeError } from './errors.ts';
export type { ConsumedBatch } from './frames.ts';
export type { Reset, Start } from './partition-reader.ts';
export type { AnsweredChange, AnswerRows } from './query.ts';
export type { NewTopic, TopicBounds } from './topics.ts';
export type { AppliedMigration, MigrationStatus, NewMigration } from './migrations.ts';
export { Connection, Consumer, execute, Migrations, Producer, query, Topics };
export type { ConnectOptions, ConsumerOptions, Entity, ExecuteOptions };
export type { ProducerOptions, QueryOptions };
