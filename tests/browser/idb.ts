// A database of its own for each test, with the log and the store in it; knows no test.

import { deleteDB, type IDBPDatabase, wrap } from 'idb';
import { type Database, openDatabase } from '../../runtime/browser/database.ts';
import { databaseName } from '../../runtime/browser/database-name.ts';
import { IdbLog } from '../../runtime/browser/idb-log.ts';
import { IdbStore } from '../../runtime/browser/idb-store.ts';
import { announceOwnParts } from '../../runtime/browser/own-parts.ts';
import { RARE_ROWS } from '../../runtime/browser/parts.ts';
import { KEY } from '../../runtime/data/parts.ts';
import { announceParts } from '../../runtime/engine/parts.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { takeAway } from '../support/taken-parts.ts';

const START_MS = 1_700_000_000_000;

export interface Opened {
  readonly name: string;
  readonly database: Database;
  /** The same connection, for tests that look into object stores. */
  readonly rows: IDBPDatabase;
  readonly log: IdbLog;
  readonly store: IdbStore;
  readonly now: () => number;
  readonly advance: (ms: number) => void;
  /** One turn of a partition's upkeep, as if `aheadMs` more had passed. */
  readonly upkeep: (at: TopicPartition, aheadMs: number) => Promise<boolean>;
  /** A store over a connection of its own, as after a restart. */
  readonly reopen: () => Promise<IdbStore>;
  /** A log over a connection of its own: upkeep is then done there. */
  readonly reopenLog: () => Promise<IdbLog>;
  readonly dispose: () => Promise<void>;
}

/** An empty database, its log and its store, with a clock that stands still. What is rarely asked of them has not been fetched. */
export async function openIdb(stateBytesMax?: number, sweepMs?: number | null): Promise<Opened> {
  announceParts();
  announceOwnParts();
  takeAway([RARE_ROWS]);
  // Tests scan state with nobody around them who fetches code.
  await KEY.load();
  const name = `test-${crypto.randomUUID()}`;
  const connections: Database[] = [];
  let nowMs = START_MS;
  const now = () => nowMs;
  const options = { now, durability: 'relaxed' as const, sweepMs };
  const connect = async () => {
    const database = await openDatabase(name, () => undefined);
    connections.push(database);
    return database;
  };
  const database = await connect();
  const log = new IdbLog({ ...options, database });
  let newest = log;
  const store = new IdbStore({ ...options, database, log, stateBytesMax });
  return {
    name,
    database,
    rows: wrap(database as unknown as IDBDatabase),
    log,
    store,
    now,
    upkeep: async (at, aheadMs) => {
      nowMs += aheadMs;
      return await (await newest.companion()).upkeep(at);
    },
    advance: (ms) => {
      nowMs += ms;
    },
    reopen: async () => new IdbStore({ ...options, database: await connect(), log, stateBytesMax }),
    reopenLog: async () => (newest = new IdbLog({ ...options, database: await connect() })),
    dispose: async () => {
      for (const connection of connections) connection.close();
      await deleteDB(databaseName(name));
    },
  };
}

/** As `openIdb`, with a log that has its companion: what it appends it reads without the database. */
export async function openFollowed(): Promise<Opened> {
  const opened = await openIdb(undefined, null);
  await opened.log.companion();
  return opened;
}
