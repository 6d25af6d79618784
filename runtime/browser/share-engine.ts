// The engine that tabs share, as a page has it until it closes it: in whichever tab it runs meanwhile; knows of a call only whether it may be asked twice.

import { asyncDispose } from '../base/async-dispose.ts';
import { PortError } from '../base/errors.ts';
import type { BrowserEngine } from './browser-engine.ts';
import { unavailable } from './remote.ts';

/** What this page uses for now. */
export interface Place {
  readonly engine: BrowserEngine;
  /** In a Worker of this page's; false: of another's, or of this one's before it stood still. */
  leads: boolean;
}

/** Finds the tab that leads, or becomes it. */
export type FindPlace = (signal: AbortSignal) => Promise<Place>;

type Given<Name extends keyof BrowserEngine> = BrowserEngine[Name] extends (
  ...given: infer Values
) => unknown
  ? Values
  : never;

/**
 * Made by `openShared`. What is under way when the tab that leads ends is refused with UNAVAILABLE, and so ends each query that is being read; calls that only read
 * are asked again by themselves, unless the Worker that ended was this page's own. The next call finds the tab that leads then, or makes this one lead.
 */
export class SharedEngine implements Omit<BrowserEngine, 'start' | 'hasEnded'> {
  readonly #find: FindPlace;
  /** Set once it is closed. */
  readonly #over = new AbortController();
  #place: Place | null = null;
  #finding: Promise<Place> | null = null;
  /** Gives up the finding. */
  #stop = new AbortController();
  /** Until the page goes on; null: it does not stand still. */
  #still: Promise<void> | null = null;
  #goOn = (): void => undefined;

  /** Use `openShared`. */
  constructor(find: FindPlace) {
    this.#find = find;
    const until = { signal: this.#over.signal, capture: true };
    // A page that stands still keeps its locks, and the others would wait for it.
    addEventListener('freeze', () => this.#place?.leads !== false && this.#leave(), until);
    addEventListener('pagehide', () => this.#leave(), until);
    for (const type of ['resume', 'pageshow']) addEventListener(type, () => this.#goOn(), until);
  }

  /** For `openShared` alone. @throws as it does */
  async opened(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const abort = (): void => this.terminate(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      await this.#found();
    } catch (thrown) {
      this.terminate();
      throw thrown;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'SharedEngine';
  }

  /** As `BrowserEngine.execute`; what SET has changed ends with the tab that leads. */
  execute(...given: Given<'execute'>): ReturnType<BrowserEngine['execute']> {
    return this.#ask((engine) => engine.execute(...given));
  }

  /** As `BrowserEngine.query`. Rows that are being read end with UNAVAILABLE when the tab that leads ends. */
  query(...given: Given<'query'>): ReturnType<BrowserEngine['query']> {
    return this.#ask((engine) => engine.query(...given), true);
  }

  /** As `BrowserEngine.print`, and ends as rows do. */
  print(...given: Given<'print'>): ReturnType<BrowserEngine['print']> {
    return this.#ask((engine) => engine.print(...given), true);
  }

  /** As `BrowserEngine.insert`. Refused with UNAVAILABLE it may have appended. */
  readonly insert: BrowserEngine['insert'] = (...given) =>
    this.#ask((engine) => engine.insert(...given));

  /** As `BrowserEngine.produce`. Refused with UNAVAILABLE it may have appended. */
  produce(...given: Given<'produce'>): ReturnType<BrowserEngine['produce']> {
    return this.#ask((engine) => engine.produce(...given));
  }

  /** As `BrowserEngine.topicRecords`. */
  topicRecords(...given: Given<'topicRecords'>): ReturnType<BrowserEngine['topicRecords']> {
    return this.#ask((engine) => engine.topicRecords(...given), true);
  }

  /** As `BrowserEngine.stats`. */
  stats(): ReturnType<BrowserEngine['stats']> {
    return this.#ask((engine) => engine.stats(), true);
  }

  /** As `BrowserEngine.errorOf`. */
  errorOf(queryId: string): Promise<Error | null> {
    return this.#ask((engine) => engine.errorOf(queryId), true);
  }

  /** As `BrowserEngine.idle`. */
  idle(): Promise<void> {
    return this.#ask((engine) => engine.idle(), true);
  }

  /** Ends this page's own queries and, where it leads, the Worker: another tab leads then, with its next call. */
  async close(): Promise<void> {
    this.#end(unavailable('the engine is closed'));
    await this.#place?.engine.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** As `close`, where it stands. */
  terminate(why: Error = unavailable('the engine is closed')): void {
    this.#end(why);
    this.#place?.engine.terminate(why);
  }

  #end(why: Error): void {
    this.#over.abort(why);
    this.#stop.abort(why);
    this.#goOn();
  }

  /** Until the page goes on nothing is found: what is asked for as it is left would have the lock again. */
  #leave(): void {
    const why = unavailable('the page stood still: ask again');
    this.#still ??= new Promise((goOn) => {
      this.#goOn = () => {
        this.#still = null;
        goOn();
      };
    });
    this.#stop.abort(why);
    if (this.#place === null) return;
    this.#place.leads = false;
    this.#place.engine.terminate(why);
  }

  async #ask<Answer>(
    call: (engine: BrowserEngine) => Promise<Answer>,
    isRead = false,
  ): Promise<Answer> {
    for (;;) {
      const place = await this.#found();
      try {
        return await call(place.engine);
      } catch (thrown) {
        const isEnd = thrown instanceof PortError && thrown.code === 'UNAVAILABLE';
        if (!(isRead && isEnd && place.engine.hasEnded) || place.leads) throw thrown;
      }
    }
  }

  async #found(): Promise<Place> {
    await this.#still;
    this.#over.signal.throwIfAborted();
    if (this.#place?.engine.hasEnded === false) return this.#place;
    this.#finding ??= this.#findAnew().finally(() => (this.#finding = null));
    return await this.#finding;
  }

  async #findAnew(): Promise<Place> {
    for (;;) {
      await this.#still;
      this.#over.signal.throwIfAborted();
      this.#stop = new AbortController();
      const { signal } = this.#stop;
      try {
        const place = await this.#find(signal);
        this.#place = place;
        // It was given up as it opened.
        if (!signal.aborted) return place;
        place.engine.terminate(signal.reason);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      }
    }
  }
}
