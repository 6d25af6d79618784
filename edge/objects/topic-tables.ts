// The topics of a catalog in SQLite, and the outbox of calls to the objects that they need; synchronous, makes no call.

import { LimitError, PortError } from '../../runtime/base/errors.ts';
import { PARTITIONS_MAX, TOPICS_MAX, TOPICS_PARTITIONS_MAX } from '../../runtime/base/limits.ts';
import { originOf } from '../../runtime/ports/incarnation.ts';
import type { TopicDescription, TopicSpec } from '../../runtime/ports/log.ts';
import { describedTopic, policyOf, type TopicPolicy } from '../../runtime/ports/topic-policy.ts';
import type { PartitionSpec } from '../env.ts';
import { isTopicName, unknownTopic } from '../names.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS topic(
  name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, internal INTEGER NOT NULL, generation INTEGER NOT NULL,
  incarnation TEXT NOT NULL, tenant TEXT NOT NULL, policy TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

/**
 * The layout of an edge's objects, all of them, since each request asks the catalog first: to be raised with one that this code cannot
 * read, or that code before it cannot. A catalog is of the second one once its entries have been made fewer.
 */
const LAYOUT = 1;
const LAYOUT_OF_FEWER = 2;

/** Notes that code before this cannot read the entries any more; in the transaction that makes them fewer. */
export function noteFewerEntries(sql: SqlStorage): void {
  sql.exec("INSERT OR REPLACE INTO counter VALUES ('layout', ?)", LAYOUT_OF_FEWER);
}

interface TopicRow {
  [column: string]: SqlStorageValue;
  name: string;
  partitions: number;
  internal: number;
  generation: number;
  incarnation: string;
  tenant: string;
  /** JSON of the topic's policy. */
  policy: string;
}

/** What a change of topics asks of a partition object. Plain JSON; each may repeat without harm. */
export type PartitionEffect =
  | { readonly effect: 'open'; readonly spec: PartitionSpec }
  | {
      readonly effect: 'close';
      readonly tenant: string;
      readonly topic: string;
      readonly partition: number;
      readonly generation: number;
    };

export class TopicTables {
  readonly #storage: SqlStorage;
  /** Why what is here is neither read nor changed. */
  readonly #refusal: PortError | null;

  constructor(sql: SqlStorage) {
    this.#storage = sql;
    sql.exec(TABLES);
    const layout = layoutOf(sql);
    this.#refusal =
      layout === LAYOUT || layout === LAYOUT_OF_FEWER
        ? null
        : new PortError(
            'CORRUPT',
            `this edge's objects were written by another version of millrace (layout ${layout}; this one knows ${LAYOUT} and ${LAYOUT_OF_FEWER}): ` +
              'deploy that version again, or this one as a Worker of another name, whose objects are new',
          );
  }

  /** @throws {PortError} CORRUPT where the objects are of a layout that is not this code's, as every method does, save `tenant` */
  get #sql(): SqlStorage {
    if (this.#refusal !== null) throw this.#refusal;
    return this.#storage;
  }

  /**
   * Notes a topic and returns it with what its partitions must be told.
   * @throws {PortError} TOPIC_EXISTS, UNKNOWN_TOPIC for what cannot be a name, UNKNOWN_PARTITION for an impossible number; {LimitError} beyond what may be
   */
  create(
    tenant: string,
    spec: TopicSpec,
  ): { readonly topic: TopicDescription; readonly effects: PartitionEffect[] } {
    if (!isTopicName(spec.name)) throw unknownTopic(spec.name);
    const { partitions, name } = spec;
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
      throw new PortError(
        'UNKNOWN_PARTITION',
        `a topic has 1 .. ${PARTITIONS_MAX} partitions, not ${partitions}`,
      );
    }
    if (this.describe(name) !== null) {
      throw new PortError('TOPIC_EXISTS', `topic '${name}' exists already`);
    }
    this.#refuseMore(partitions);
    this.#sql.exec("INSERT OR IGNORE INTO counter VALUES ('layout', ?)", LAYOUT);
    const policy = policyOf(spec);
    const generation = this.#nextGeneration();
    const incarnation = `${generation}-${crypto.randomUUID()}`;
    this.#sql.exec(
      'INSERT INTO topic VALUES (?, ?, ?, ?, ?, ?, ?)',
      name,
      partitions,
      spec.internal ? 1 : 0,
      generation,
      incarnation,
      tenant,
      JSON.stringify(policy),
    );
    this.#count('version');
    const effects = Array.from({ length: partitions }, (_, partition): PartitionEffect => {
      const at = { topic: name, partition };
      return { effect: 'open', spec: { tenant, at, incarnation, generation, policy } };
    });
    return { topic: describedTopic(spec, incarnation), effects };
  }

  /** @throws {LimitError} TOPICS_MAX, TOPICS_PARTITIONS_MAX */
  #refuseMore(partitions: number): void {
    const { topics, inAll } = this.#sql
      .exec<{ topics: number; inAll: number }>(
        'SELECT count(*) AS topics, coalesce(sum(partitions), 0) AS inAll FROM topic',
      )
      .one();
    if (topics >= TOPICS_MAX)
      throw new LimitError('TOPICS_MAX', `there are ${TOPICS_MAX} topics (TOPICS_MAX)`);
    if (inAll + partitions <= TOPICS_PARTITIONS_MAX) return;
    const message = `all topics together have at most ${TOPICS_PARTITIONS_MAX} partitions (TOPICS_PARTITIONS_MAX), and ${inAll} already`;
    throw new LimitError('TOPICS_PARTITIONS_MAX', message);
  }

  /** Above all that were given out, also by a catalog that was put back since, as long as its clock was not. */
  #nextGeneration(): number {
    const next = Math.max(this.#value('generation') + 1, Date.now());
    this.#set('generation', next);
    return next;
  }

  /**
   * Gives a topic another incarnation, under which its partitions keep their records.
   * @param found the partition that is known to have been put back by what others have read of it; null: the restore was announced
   * @throws {PortError} UNKNOWN_TOPIC
   */
  restored(
    topic: string,
    found: number | null,
  ): { readonly incarnation: string; readonly effects: PartitionEffect[] } {
    const row = this.#row(topic);
    if (row === null) throw unknownTopic(topic);
    const { tenant, partitions, incarnation: previous } = row;
    const generation = this.#nextGeneration();
    const incarnation = `${originOf(previous)}~${generation}`;
    this.#sql.exec(
      'UPDATE topic SET generation = ?, incarnation = ? WHERE name = ?',
      generation,
      incarnation,
      topic,
    );
    this.#count('version');
    const policy = JSON.parse(row.policy) as TopicPolicy;
    const effects = Array.from({ length: partitions }, (_, partition): PartitionEffect => {
      const restored = { previous, isFound: partition === found };
      const at = { topic, partition };
      return { effect: 'open', spec: { tenant, at, incarnation, generation, policy, restored } };
    });
    return { incarnation, effects };
  }

  /** Forgets the topic and returns what its partitions must be told. @throws {PortError} UNKNOWN_TOPIC */
  remove(topic: string): PartitionEffect[] {
    const row = this.#row(topic);
    if (row === null) throw unknownTopic(topic);
    this.#sql.exec('DELETE FROM topic WHERE name = ?', topic);
    this.#count('version');
    const { tenant, generation, partitions } = row;
    return Array.from({ length: partitions }, (_, partition): PartitionEffect => {
      return { effect: 'close', tenant, topic, partition, generation };
    });
  }

  describe(topic: string): TopicDescription | null {
    const row = this.#row(topic);
    return row === null ? null : descriptionOf(row);
  }

  list(): TopicDescription[] {
    return this.#sql
      .exec<TopicRow>('SELECT * FROM topic ORDER BY name')
      .toArray()
      .map(descriptionOf);
  }

  /** The tenant whose topics these are; null while there is none, or none that can be read. */
  get tenant(): string | null {
    if (this.#refusal !== null) return null;
    const rows = this.#sql.exec<{ tenant: string }>('SELECT tenant FROM topic LIMIT 1').toArray();
    return rows[0]?.tenant ?? null;
  }

  /** Rises with every change of the catalog. */
  version(): number {
    return this.#value('version');
  }

  /** To be called in the transaction of every other change of the catalog. */
  changed(): void {
    this.#count('version');
  }

  #row(topic: string): TopicRow | null {
    const rows = this.#sql.exec<TopicRow>('SELECT * FROM topic WHERE name = ?', topic).toArray();
    return rows[0] ?? null;
  }

  #value(counter: string): number {
    const rows = this.#sql
      .exec<{ value: number }>('SELECT value FROM counter WHERE name = ?', counter)
      .toArray();
    return rows[0]?.value ?? 0;
  }

  #count(counter: string): void {
    this.#set(counter, this.#value(counter) + 1);
  }

  #set(counter: string, value: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO counter VALUES (?, ?)', counter, value);
  }
}

/** What the objects say; 0: they are of before topics had policies, and do not say. */
function layoutOf(sql: SqlStorage): number {
  const said = sql.exec<{ value: number }>("SELECT value FROM counter WHERE name = 'layout'");
  const [row] = said.toArray();
  return (
    row?.value ?? (sql.exec('SELECT * FROM topic LIMIT 0').columnNames.includes('policy') ? 1 : 0)
  );
}

function descriptionOf({ name, partitions, internal, incarnation, policy }: TopicRow) {
  const kept = JSON.parse(policy) as TopicPolicy;
  return describedTopic({ name, partitions, ...kept, internal: internal === 1 }, incarnation);
}
