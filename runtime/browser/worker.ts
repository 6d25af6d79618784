// The Web Worker: one engine on its host, called by the page through ports/calls.ts; knows nothing of the page beyond its calls.

import { assert } from '../base/assert.ts';
import { PortError } from '../base/errors.ts';
import type { Schema } from '../data/schema.ts';
import { type EngineCore, openCore } from '../engine/engine-core.ts';
import type { Entity } from '../engine/entities.ts';
import type { QueryColumn } from '../engine/query-rows.ts';
import type { Overload } from '../functions/registry.ts';
import type { Processor } from '../functions/user-processor.ts';
import { type Appended, Appends } from './appends.ts';
import { sendBatches } from './batch-channel.ts';
import { Buffers } from './buffers.ts';
import { answerCalls, HandingOver } from '../ports/answers.ts';
import { type HostOptions, openHost } from './host.ts';
import { Line, type MessageEnd } from '../ports/line.ts';
import { type PackedPlaces, placed } from './packed-places.ts';
import type { PackedRecords } from './packed-records.ts';
import { RARE_CALLS } from './parts.ts';
import type { RareCalls } from './rare-calls.ts';
import { toWire, type WireError } from '../ports/wire-error.ts';

/** What the Worker's own module has registered. */
const functions: Overload[] = [];
const processors: Processor[] = [];
let isOpened = false;

/**
 * Adds functions to the built-in ones. They cannot be sent from the page, so a Worker of the page's own brings them:
 *
 * ```ts
 * // worker.ts, for open({ worker: () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }) })
 * import { scalarFunction } from 'millrace';
 * import { registerFunctions } from 'millrace/worker';
 *
 * registerFunctions([scalarFunction({ name: 'TWICE', ... })]);
 * ```
 *
 * To be called while the module is evaluated, before anything is awaited: queries that the database holds go on as soon as it is open.
 * @throws {InvariantError} when the engine is open already
 */
export function registerFunctions(own: readonly Overload[]): void {
  assert(!isOpened, 'functions come before the engine is opened');
  functions.push(...own);
}

/**
 * Adds processors in code, in the same place and time as `registerFunctions` adds functions. Each begins once its streams and tables are
 * there; until then `errorOf` of its name says why not.
 * @throws {InvariantError} when the engine is open already
 */
export function registerProcessors(own: readonly Processor[]): void {
  assert(!isOpened, 'processors come before the engine is opened');
  processors.push(...own);
}

type Properties = Readonly<Record<string, string>>;

export interface WorkerOptions extends HostOptions {
  readonly properties?: Properties | undefined;
  readonly preload?: boolean | undefined;
  /** As the engine's options have it. */
  readonly workers?: number | undefined;
}

/** The options of `open` that the page sends. */
const OPTIONS =
  /^(database|storage|kernel|whenLocked|durability|properties|commitIntervalMs|preload|workers)$/;

/** Statements that were carried out, and why the next one was not. */
export interface Executed {
  readonly entities: readonly Entity[];
  readonly error: WireError | null;
}

/** What the page must know of a query before its batches come. */
export interface QueryHead {
  readonly kind: 'push' | 'pull';
  readonly queryId: string | null;
  readonly schema: Schema;
  readonly columns: readonly QueryColumn[];
}

/** What became of several calls: of each its places, unless it has an error. */
export interface ProducedPlaces extends Pick<Appended, 'errors'> {
  readonly places: PackedPlaces;
}

/** The one object that the page calls, beside its `RareCalls`. */
export class EngineWorker {
  readonly #line: Line;
  readonly #buffers = new Buffers();
  readonly #appends = new Appends((...given) => this.#opened.produce(...given));
  /** null: it is not open. */
  engine: EngineCore | null = null;
  /** Called before the engine closes. */
  onClose: (() => void) | null = null;
  /** Queries whose batches are being sent. */
  #queries = 0;
  #rarer: RareCalls | null = null;
  /** null: nobody has asked yet. */
  #lose: ((error: WireError) => void) | null = null;

  constructor(line: Line) {
    this.#line = line;
  }

  /**
   * Takes a lock that is held as long as this Worker lives, and gives its name: whoever gets it next knows that the Worker has ended,
   * which no event tells.
   */
  async hello(): Promise<string> {
    const name = `millrace:${crypto.randomUUID()}`;
    // Held by a promise that is told of the grant and never settles. Where the browser grants no lock, as in a frame of another site, the
    // news of an end is all that is missing.
    await new Promise((granted) => {
      navigator.locks.request(name, () => new Promise(granted)).catch(granted);
    });
    return name;
  }

  async open(options: WorkerOptions): Promise<void> {
    for (const name in options)
      if (!OPTIONS.test(name)) throw (await RARE_CALLS.load()).noOption(name, OPTIONS);
    let host = await openHost(options, (error) => this.#lose?.(toWire(error)));
    if (options.preload || options.workers !== undefined || options.whenLocked === 'share')
      host = await (await RARE_CALLS.load()).prepared(host, options, this);
    isOpened = true;
    this.engine = await openCore({ ...options, host, functions, processors });
  }

  /** Resolves when the engine can go on no more because the browser has taken its database away. To be called once, before `open`. */
  lost(): Promise<WireError> {
    return new Promise((resolve) => (this.#lose = resolve));
  }

  async execute(sql: string, properties: Properties | undefined): Promise<Executed> {
    const entities: Entity[] = [];
    let error: WireError | null = null;
    try {
      await this.#opened.execute(sql, { properties, onEntity: (entity) => entities.push(entity) });
    } catch (thrown) {
      error = toWire(thrown);
    }
    return { entities, error };
  }

  /** @param channel takes its batches */
  async query(
    sql: string,
    properties: Properties | undefined,
    channel: number,
  ): Promise<QueryHead> {
    const rows = await this.#opened.query(sql, { properties });
    // Where there are several, their batches of one turn go over together at its end.
    const onSent = (): void => {
      if (this.#queries === 1) this.#line.follow();
    };
    this.#queries += 1;
    void sendBatches(rows, this.#line.channel(channel), this.#buffers, onSent).finally(() => {
      this.#queries -= 1;
    });
    const { kind, queryId, schema, columns } = rows;
    return { kind, queryId, schema, columns };
  }

  /** @param counts how many of the records belong to each call of the page */
  async produce(
    topic: string,
    records: PackedRecords,
    counts: readonly number[],
  ): Promise<HandingOver<ProducedPlaces>> {
    const { places, errors } = await this.#appends.add(topic, records, counts);
    return new HandingOver({ places: placed(places), errors });
  }

  /** What pages rarely call. */
  async rarer(): Promise<RareCalls> {
    const { RareCalls } = await RARE_CALLS.load();
    return (this.#rarer ??= new RareCalls(() => this.#opened, this.#appends, {
      functions,
      processors,
    }));
  }

  async close(): Promise<void> {
    this.onClose?.();
    await this.#appends.last;
    await this.engine?.close();
    this.engine = null;
  }

  get #opened(): EngineCore {
    if (this.engine !== null) return this.engine;
    throw new PortError('UNAVAILABLE', 'the engine is not open');
  }
}

/** What the page has said while nobody answers yet; null: somebody does. */
const EARLY = 'millrace';

// The page's types know the page's own scope alone.
const scope = self as unknown as MessageEnd & { [EARLY]?: MessageEvent[] | null };

/** Answers the page, unless another evaluation of this module does. */
function serve(): void {
  const early = scope[EARLY];
  scope[EARLY] = null;
  if (!early) return;
  // Turns end by a timer: a message of the Worker's to itself would cost more, and be garbage for a whole collection.
  const line = new Line(scope, (run, waitMs) => void setTimeout(run, waitMs));
  const worker = new EngineWorker(line);
  RARE_CALLS.from('calls', () => import('./rare-calls.ts'));
  answerCalls(line.channel(0), worker, () => worker.rarer());
  early.forEach(line.take);
}

// Parts import from the Worker's script, as bundlers have it, and in WebKit that is another module than the one that runs: it is evaluated
// anew. So the script asks for itself, and the engine is in the module that comes of it; elsewhere that is this one.
if (EARLY in scope) serve();
else {
  scope[EARLY] = [];
  const keep = (event: MessageEvent): void => void scope[EARLY]?.push(event);
  const begin = (): void => {
    removeEventListener('message', keep);
    serve();
  };
  addEventListener('message', keep);
  const { href } = location;
  // What cannot be had twice, as a blob that is gone, has no parts in other files.
  if (import.meta.url === href)
    import(/* @vite-ignore */ /* webpackIgnore: true */ href).then(begin, begin);
  else begin();
}
