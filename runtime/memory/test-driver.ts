// Runs an application of streams in memory under the caller's hand: records in, records out, the clock, crashes; public as millrace/testing.

import { asyncDispose } from '../base/async-dispose.ts';
import { decodeUtf8 } from '../base/bytes.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import type { WasmModule } from '../base/host-types.ts';
import { checkOptions } from '../base/options.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { PublicRow } from '../data/row.ts';
import { type Engine, type EngineStats, openEngine, type QueryOptions } from '../engine/engine.ts';
import type { Entity } from '../engine/entities.ts';
import { produce, type ProducedAt, type ProducedRecord } from '../engine/insert.ts';
import type { TopicRecord } from '../data/topic-record.ts';
import { readRecords } from '../engine/records.ts';
import type { Overload } from '../functions/registry.ts';
import type { Processor } from '../functions/user-processor.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { type FaultPlan, Life, NO_FAULTS } from './faults.ts';
import { ManualClock } from './manual-clock.ts';
import { type MemoryHost, memoryHost } from './memory-host.ts';

/** What a host keeps. */
export interface DurablePorts {
  readonly log: Log;
  readonly store: Store;
}

export interface TestDriverOptions {
  /** The compiled kernel; absent: everything runs on the row path. */
  readonly kernel?: WasmModule | null | undefined;
  /** How commits deliver: `atomic` (the default), as in one database; `outbox`, as between objects. */
  readonly delivery?: 'atomic' | 'outbox' | undefined;
  /** Puts adapters of the caller's over log and store, below the faults. */
  readonly wrap?: ((ports: DurablePorts) => DurablePorts) | undefined;
  /** Where the clock stands at first, in ms since the Unix epoch. */
  readonly startMs?: number | undefined;
  /** Functions beside the built-in ones, as scalarFunction, aggregateFunction and tableFunction make them. */
  readonly functions?: readonly Overload[] | undefined;
  /** Processors in code, for every engine that it opens. */
  readonly processors?: readonly Processor[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** A record with its key and value as text. */
export interface TextRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
}

const HEADER = { name: 'string', value: 'object | null' };

const START_MS = 1_700_000_000_000;
/** Crashes that one call survives: a plan that lets nothing pass would never end. */
const CRASHES_MAX = 500;
/** Turns of the event loop that one call may take: what takes more is stuck. */
const TURNS_MAX = 10_000;

/**
 * An engine over a log and a store in memory, a clock that stands still, and faults. A crash throws the engine away with all that was not
 * committed; the next call opens another one over the same log and store.
 *
 * ```ts
 * await using driver = new TestDriver();
 * await driver.execute(`CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`);
 * await driver.execute(`CREATE STREAM doubled AS SELECT k, v * 2 AS v FROM s;`);
 * await driver.pipe('s', [{ key: 'a', value: '{"V": 21}', timestamp: 0 }]);
 * await driver.settle();
 * (await driver.texts('DOUBLED'))[0]; // { key: 'a', value: '{"V":42}', ... }
 * ```
 */
export class TestDriver implements AsyncDisposable {
  readonly clock: ManualClock;
  /** Log and store behind the faults: what is durable. */
  readonly durable: MemoryHost;
  readonly #options: TestDriverOptions;
  readonly #ports: DurablePorts;
  /** Decides for every life; set before anything runs. */
  #faults: FaultPlan = NO_FAULTS;
  #running: Running | null = null;
  readonly #zombies: Running[] = [];
  #crashes = 0;
  #piped = 0;

  constructor(options: TestDriverOptions = {}) {
    const { kernel, delivery, startMs, wrap } = options;
    this.#options = options;
    this.clock = new ManualClock(startMs ?? START_MS);
    this.durable = memoryHost({ clock: this.clock, kernel, delivery });
    this.#ports = wrap?.(this.durable) ?? this.durable;
  }

  /** How often the engine has crashed. */
  get crashes(): number {
    return this.#crashes;
  }

  /** From now on, operations of the ports go as the plan says. */
  arm(faults: FaultPlan): void {
    this.#faults = faults;
  }

  /** From now on, nothing fails. */
  disarm(): void {
    this.#faults = NO_FAULTS;
  }

  /**
   * Executes statements. A crash before the answer is followed by another try, which may find them done already.
   * @throws {StatementError} what is wrong with them
   */
  execute(sql: string): Promise<readonly Entity[]> {
    return this.#through((engine) => engine.execute(sql));
  }

  /** All rows of a pull query, or of a push query with LIMIT. */
  query(sql: string, options: QueryOptions = {}): Promise<PublicRow[]> {
    return this.#through(async (engine) => (await engine.query(sql, options)).all());
  }

  /** The streams, tables and queries of this moment. */
  catalog(): Promise<Catalog> {
    return this.#through(async (engine) => engine.catalog);
  }

  stats(): Promise<EngineStats> {
    return this.#through((engine) => engine.stats());
  }

  /**
   * Appends records as they are, past the faults: what comes from outside is not under test.
   * @throws {TypeError} for headers of another shape, which a test without types would not notice
   */
  async pipe(topic: string, records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    for (const { headers = [] } of records) {
      if (!Array.isArray(headers)) throw new TypeError('headers is an array of { name, value }');
      for (const header of headers) checkOptions('a header', header, HEADER, 'name');
    }
    return produce(this.durable.log, this.clock, { topic, spare: this.#piped++ }, records);
  }

  /** The durable records of one partition of a topic. */
  records(topic: string, partition = 0): Promise<readonly TopicRecord[]> {
    return readRecords(this.durable.log, topic, { partition });
  }

  /** As `records`, with keys and values as text. */
  async texts(topic: string, partition = 0): Promise<readonly TextRecord[]> {
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : decodeUtf8(bytes));
    const found = await this.records(topic, partition);
    return found.map(({ offset, timestamp, key, value }) => {
      return { partition, offset, timestamp, key: text(key), value: text(value) };
    });
  }

  /** Turns the clock forward. */
  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Lets the engine run for as long as it has something to do without the clock. */
  async run(): Promise<void> {
    await this.#through(async () => turnOfEventLoop());
  }

  /** Runs until every query has done all there is to do; the clock is turned as far as retries need it. */
  settle(): Promise<void> {
    return this.#through((engine) => engine.idle());
  }

  /** Throws the engine away with everything that is not durable, as a power cut does. */
  crash(): void {
    this.#running?.life.crash();
  }

  /**
   * Opens another engine beside the one that runs, which does not hear of it: as two tabs, or two instances of an object, that both hold
   * themselves for the owner.
   */
  takeOver(): void {
    if (this.#running !== null) this.#zombies.push(this.#running);
    this.#running = null;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.disarm();
    const lives = [...this.#zombies.splice(0), ...(this.#running === null ? [] : [this.#running])];
    this.#running = null;
    for (const { life, engine } of lives) {
      if (!life.isOver) await engine.then((opened) => opened.close());
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Does the work with the engine that lives, or with the next one when it crashes on the way. */
  async #through<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    for (let crashes = 0; crashes < CRASHES_MAX; crashes++) {
      const running = (this.#running ??= this.#start());
      const done = running.engine.then(work).then(
        (value) => ({ value }),
        (thrown: unknown) => ({ thrown }),
      );
      const outcome = await this.#untilSettled(done, running.crashed);
      if (outcome === null) continue;
      if ('value' in outcome) return outcome.value;
      // What was not answered is asked again, as a client does.
      if (!(outcome.thrown instanceof PortError) || outcome.thrown.code !== 'UNAVAILABLE') {
        throw outcome.thrown;
      }
      if (this.#running === running && (await isBroken(running.engine))) running.life.crash();
    }
    throw new InvariantError('the plan of faults lets nothing pass');
  }

  /** Waits for the first of the two; while neither comes, turns the clock to whatever waits for it. */
  async #untilSettled<T>(done: Promise<T>, crashed: Promise<null>): Promise<T | null> {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      const outcome = await Promise.race([done, crashed, turnOfEventLoop().then(() => WAITING)]);
      if (outcome !== WAITING) return outcome as T | null;
      const { nextMs } = this.clock;
      if (nextMs !== null) this.clock.advanceTo(Math.max(nextMs, this.clock.now()));
    }
    throw new InvariantError(`nothing came of ${TURNS_MAX} turns of the event loop`);
  }

  #start(): Running {
    let over: (nothing: null) => void = () => undefined;
    const crashed = new Promise<null>((resolve) => {
      over = resolve;
    });
    const life: Life = new Life({ at: (operation) => this.#faults.at(operation) }, () => {
      this.#crashes += 1;
      if (this.#running?.life === life) this.#running = null;
      over(null);
    });
    const { functions, processors, properties } = this.#options;
    const host = {
      ...this.durable,
      log: life.log(this.#ports.log),
      store: life.store(this.#ports.store),
    };
    // In a later turn: the first operation may be the end of this life, which must have begun by then.
    const engine = Promise.resolve().then(() =>
      openEngine({ host, functions, processors, properties }),
    );
    // Whoever asks for the engine hears of its failure.
    engine.catch(() => undefined);
    return { life, engine, crashed };
  }
}

interface Running {
  readonly life: Life;
  readonly engine: Promise<Engine>;
  readonly crashed: Promise<null>;
}

const WAITING = Symbol('waiting');

/** Everything that does not wait for a timer has happened when this resolves. */
function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

function isBroken(engine: Promise<Engine>): Promise<boolean> {
  return engine.then(
    () => false,
    () => true,
  );
}
