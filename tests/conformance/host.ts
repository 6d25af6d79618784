// Where a case can run as users run it: statements, records and queries of one catalog, on any host; knows no case.

import type { Json } from './json.ts';
import type { TopicRecord } from './records.ts';

type Properties = Readonly<Record<string, string>>;

/** A catalog of its own, empty at first. */
export interface Tenant extends AsyncDisposable {
  createTopic(name: string, partitions: number): Promise<void>;
  /** @returns the answers as clients read them. @throws {StatementError} */
  execute(sql: string, properties: Properties): Promise<readonly Json[]>;
  produce(topic: string, record: TopicRecord): Promise<void>;
  /** Resolves when every query has taken in all there is and delivered all it made; rejects when one has ended. */
  settle(): Promise<void>;
  /** Asks; for a push query, once its place in the topics is settled. @throws {StatementError} */
  ask(sql: string, properties: Properties): Promise<Asked>;
  /** The records of a topic, one partition after the other; none where there is no such topic. */
  records(topic: string): Promise<readonly TopicRecord[]>;
}

/** The answer of a query. */
export interface Asked {
  /**
   * All its elements as `/query` has them: the header, the rows, what is said at the end. A push query without an end of its own is ended
   * once it has taken in all there is.
   */
  elements(): Promise<readonly Json[]>;
}

/** Has the functions of the cases. */
export interface CaseHost extends AsyncDisposable {
  /** False: a query's answer ends without a word (`finalMessage`). */
  readonly saysEnd: boolean;
  tenant(): Promise<Tenant>;
}
