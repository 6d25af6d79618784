// The engine as the demo uses it: opened, fed, followed and asked; knows no element of the page.

import {
  open,
  PortError,
  type BrowserEngine,
  type PublicRow,
  type QueryOptions,
  type QueryRows,
} from '../runtime/browser/index.ts';
import type { EngineTable } from './check.ts';
import { type Hour, hourKey } from './hour.ts';
import type { Quake } from './quakes.ts';
import {
  CLEAN_UP,
  CREATE_STREAM,
  createTable,
  DROP_TABLE,
  PULL_QUERY,
  PUSH_QUERY,
  replaceTable,
} from './sql.ts';

const DATABASE = 'demo';
/** How long a tab that is reloaded may need to give its database back. */
const RELOAD_MS = 300;

/** What the one persistent query has done. */
export interface Totals {
  readonly records: number;
  readonly late: number;
  readonly changes: number;
}

/** The raw log, and the table as of its end. */
export interface Snapshot {
  /** Values of all records in the order of the log. */
  readonly values: readonly string[];
  readonly table: EngineTable;
}

export interface SessionEvents {
  /** Called for each change of the table, in order. */
  readonly onChange: (hour: Hour) => void;
  /** Called when the table's changes come no more, and why. */
  readonly onFailure: (error: unknown) => void;
}

/** One engine with the demo's stream and table. */
export class Session {
  /** Where the records and the table are, as a sentence. */
  readonly storage: string;
  readonly #engine: BrowserEngine;
  readonly #events: SessionEvents;
  #following: QueryRows | null = null;
  /** How often the table was replaced. */
  #replaced = 0;

  private constructor(engine: BrowserEngine, storage: string, events: SessionEvents) {
    this.#engine = engine;
    this.storage = storage;
    this.#events = events;
  }

  /** Opens the engine over IndexedDB; in memory where another tab has the database, or the browser gives none. */
  static async open(events: SessionEvents): Promise<Session> {
    try {
      const engine = await openDatabase();
      return new Session(engine, 'The log and the table are in IndexedDB.', events);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      const why =
        thrown.code === 'LOCKED'
          ? 'Another tab has this demo open, and its database takes one writer.'
          : `This browser gives no database (${thrown.message}).`;
      const engine = await open({ storage: 'memory' });
      return new Session(engine, `${why} This tab keeps the log and the table in memory.`, events);
    }
  }

  /** Begins again with an empty log. */
  async start(graceHours: number): Promise<void> {
    await this.#leave();
    const { topics } = await this.#engine.stats();
    // With nothing there, as at the first visit, the code that drops needs not be fetched.
    const cleanUp = Object.keys(topics).length === 0 ? '' : CLEAN_UP;
    await this.#engine.execute(`${cleanUp}${CREATE_STREAM}${createTable(graceHours)}`);
    // The first change is still to come.
    await this.#follow();
  }

  /** Replaces the table by one whose query has read the log from its first record; until then the old one is there, and told of. Then call `follow`. */
  async replaceTable(graceHours: number): Promise<void> {
    // Two names in turn: the topic of the table before the last one is gone.
    this.#replaced += 1;
    await this.#engine.execute(replaceTable(graceHours, `quakes_per_hour_${this.#replaced % 2}`));
    await this.#leave();
    await this.#engine.execute(DROP_TABLE);
  }

  /** Tells of the changes of the table, from the first one on. */
  async follow(): Promise<void> {
    await this.#follow({ properties: { 'auto.offset.reset': 'earliest' } });
  }

  async #follow(options: QueryOptions = {}): Promise<void> {
    const rows = await this.#engine.query(PUSH_QUERY, options);
    this.#following = rows;
    this.#read(rows).catch(this.#events.onFailure);
  }

  /** Appends records. Resolves when the log has them. */
  async feed(quakes: readonly Quake[]): Promise<void> {
    const records = quakes.map(({ key, value, arrivalMs }) => ({
      key,
      value,
      timestamp: arrivalMs,
    }));
    await this.#engine.produce('quakes', records);
  }

  async totals(): Promise<Totals> {
    const { queries } = await this.#engine.stats();
    const [query] = Object.values(queries);
    return { records: query?.in ?? 0, late: query?.late ?? 0, changes: query?.out ?? 0 };
  }

  /** The log and the table at its end; while it is taken, nothing may be fed. */
  async snapshot(): Promise<Snapshot> {
    await this.#engine.idle();
    const records = await this.#engine.topicRecords('quakes');
    const decoder = new TextDecoder();
    const values = records.map(({ value }) => (value === null ? 'null' : decoder.decode(value)));
    const hours = new Map<string, Hour>();
    for await (const row of await this.#engine.query(PULL_QUERY)) {
      const hour = hourOf(row);
      hours.set(hourKey(hour.net, hour.windowStart), hour);
    }
    const { late } = await this.totals();
    return { values, table: { hours, late } };
  }

  /** From here on no change of the old table is told any more. */
  async #leave(): Promise<void> {
    const rows = this.#following;
    this.#following = null;
    await rows?.close();
  }

  async #read(rows: QueryRows): Promise<void> {
    for await (const row of rows) {
      if (this.#following !== rows) return;
      this.#events.onChange(hourOf(row));
    }
  }
}

/** Once more after a moment where it is locked: the tab may have been reloaded, and its old Worker may still be ending. */
async function openDatabase(): Promise<BrowserEngine> {
  try {
    return await open({ database: DATABASE });
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'LOCKED') throw thrown;
    await new Promise((resolve) => {
      setTimeout(resolve, RELOAD_MS);
    });
    return await open({ database: DATABASE });
  }
}

function hourOf(row: PublicRow): Hour {
  const { NET: net } = row;
  return {
    net: typeof net === 'string' ? net : '',
    windowStart: Number(row['WINDOWSTART']),
    n: Number(row['N']),
    strongest: Number(row['STRONGEST']),
    significance: Number(row['SIGNIFICANCE']),
  };
}
