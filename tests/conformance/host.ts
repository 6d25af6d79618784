// Where a case can run as users run it: statements, records and queries of one catalog, on any host; knows no case.

import type { TopicRecord } from './records.ts';

/** A catalog of its own, empty at first. */
export interface Tenant extends AsyncDisposable {
  createTopic(name: string, partitions: number): Promise<void>;
  /** @throws {StatementError} */
  execute(sql: string, properties: Readonly<Record<string, string>>): Promise<void>;
  produce(topic: string, record: TopicRecord): Promise<void>;
  /** Resolves when every query has taken in all there is and delivered all it made; rejects when one has ended. */
  settle(): Promise<void>;
  /** The records of a topic, one partition after the other; none where there is no such topic. */
  records(topic: string): Promise<readonly TopicRecord[]>;
}

/** Has the functions of the cases. */
export interface CaseHost extends AsyncDisposable {
  tenant(): Promise<Tenant>;
}
