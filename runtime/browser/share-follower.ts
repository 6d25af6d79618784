// Opens an engine that tabs share: in a Worker of this tab's, which leads, or as a line to the one that leads already; knows no call.

import { LimitError, PortError } from '../base/errors.ts';
import { FOLLOWERS_MAX, SHARE_ANSWER_MS_MAX } from '../base/limits.ts';
import type { BrowserEngine } from './browser-engine.ts';
import { databaseName } from './database-name.ts';
import type { EngineOptions } from './index.ts';
import { type EnginePort, unavailable } from './remote.ts';
import type { Place } from './share-engine.ts';
import {
  followerName,
  type Hello,
  meetingChannel,
  NumberedChannel,
  say,
  SHARE_VERSION,
  type Welcome,
} from './share-protocol.ts';

/** How often a leader is asked for, and looked for at all. */
const HELLO_INTERVAL_MS = 50;

/** Opens an engine in the Worker that the options make. */
type Begin = (options: EngineOptions) => Promise<BrowserEngine>;

/**
 * As `openShared`.
 * @throws {PortError} LOCKED when who has the database does not share it, or is of another deployment
 */
export async function leadOrFollow(given: EngineOptions, begin: Begin): Promise<Place> {
  const { database = 'millrace', signal, storage } = given;
  if (storage === 'memory')
    throw new TypeError('openShared needs a database: memory is not shared');
  const options = { ...given, whenLocked: 'share' } as const;
  // Refused there.
  if (!isSecureContext) return { engine: await begin(options), leads: true };
  for (;;) {
    try {
      if (!(await isHeld(databaseName(database))))
        return { engine: await begin(options), leads: true };
    } catch (thrown) {
      // Another tab has just become the leader.
      if (!(thrown instanceof PortError && thrown.code === 'LOCKED')) throw thrown;
    }
    const port = await joined(database, signal);
    if (port === null) continue;
    // All that is used of a Worker; none is started.
    try {
      const engine = await begin({ ...options, worker: () => port as EnginePort as Worker });
      port.onEnd = (why) => engine.terminate(unavailable(why));
      return { engine, leads: false };
    } catch (thrown) {
      signal?.throwIfAborted();
      // It ended as it answered.
      if (!port.hasEnded) throw thrown;
    }
  }
}

async function isHeld(lock: string): Promise<boolean> {
  try {
    const { held = [] } = await navigator.locks.query();
    return held.some(({ name }) => name === lock);
  } catch {
    return false; // where the browser gives no locks the Worker is refused, and says why
  }
}

/**
 * The line to the leader; null: there is none any more.
 * @throws {PortError} LOCKED; the signal's reason
 */
async function joined(
  database: string,
  signal: AbortSignal | undefined,
): Promise<FollowerPort | null> {
  const meeting = meetingChannel(database);
  const port = new FollowerPort();
  try {
    await port.held();
    let welcome: Welcome | null = null;
    let untilMs = performance.now() + SHARE_ANSWER_MS_MAX;
    /** Somebody has answered since it was asked for last: timers of hidden tabs may come a minute late. */
    let isAnswered = false;
    let heard = (): void => undefined;
    meeting.addEventListener('message', ({ data }: MessageEvent<Hello | Welcome>) => {
      if (!('to' in data) || data.to !== port.id) return;
      untilMs = performance.now() + SHARE_ANSWER_MS_MAX;
      isAnswered = true;
      if (data.version === SHARE_VERSION && data.lock === null) return;
      welcome = data;
      heard();
    });
    const hello: Hello = { follower: port.id, version: SHARE_VERSION };
    for (;;) {
      signal?.throwIfAborted();
      isAnswered = false;
      say(meeting, hello);
      await new Promise<void>((resolve) => {
        heard = resolve;
        setTimeout(resolve, HELLO_INTERVAL_MS);
      });
      const answer = welcome as Welcome | null;
      if (answer !== null) {
        if (answer.isFull)
          throw new LimitError(
            'FOLLOWERS_MAX',
            `${FOLLOWERS_MAX} other tabs share database '${database}' already`,
          );
        if (answer.version !== SHARE_VERSION || answer.lock === null)
          throw locked(database, 'runs another version of millrace: reload that tab, or this one');
        port.follow(answer.lock);
        return port;
      }
      if (!(await isHeld(databaseName(database)))) break;
      if (!isAnswered && performance.now() > untilMs)
        throw locked(
          database,
          'does not answer: it was not opened with openShared, or is frozen; close it, or open it so',
        );
    }
  } catch (thrown) {
    port.terminate();
    throw thrown;
  } finally {
    meeting.close();
  }
  port.terminate();
  return null;
}

function locked(database: string, why: string): PortError {
  return new PortError('LOCKED', `the tab that has database '${database}' open ${why}`);
}

/** What the page's engine has in place of a Worker. Ends with the leading one. */
class FollowerPort implements EnginePort {
  readonly id = crypto.randomUUID();
  /** The leading Worker is no more, or said what did not come. */
  hasEnded = false;
  /** Called when it has ended; until somebody wants to know, the engine that opens is told as of a Worker. */
  onEnd = (message: string): void => {
    this.hasEnded = true;
    this.#events.dispatchEvent(Object.assign(new Event('error'), { message }));
  };
  readonly #events = new EventTarget();
  readonly #channel = new NumberedChannel(followerName(this.id), () =>
    this.onEnd('the browser dropped messages of the tab that leads, as of one that stood still'),
  );
  readonly #watch = new AbortController();
  #release = (): void => undefined;

  /** The lock that says that this page lives; resolves when it is held. */
  held(): Promise<void> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(followerName(this.id), async () => {
          resolve();
          await new Promise<void>((release) => (this.#release = release));
        })
        .catch(reject);
    });
  }

  /** @param lock of the leading Worker */
  follow(lock: string): void {
    this.#channel.hear((data) => {
      this.#events.dispatchEvent(new MessageEvent('message', { data }));
    });
    this.#channel.keepAsking();
    const { signal } = this.#watch;
    // Of several followers all are told. Where the leader has gone already, at once.
    navigator.locks
      .request(lock, { mode: 'shared', signal }, () => this.onEnd('the tab that leads has ended'))
      .catch(() => undefined); // the signal
  }

  /** Nothing is transferred: a BroadcastChannel copies all. */
  postMessage(message: unknown): void {
    this.#channel.say(message);
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#events.addEventListener(type, listener as EventListener);
  }

  /** The leader closes what is open for this tab once it gets the lock. */
  terminate(): void {
    this.#watch.abort();
    this.#channel.close();
    this.#release();
  }
}
