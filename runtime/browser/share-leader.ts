// The leading Worker's side of sharing: serves tabs that follow, each as another caller of the same engine; knows no statement.

import { FOLLOWERS_MAX } from '../base/limits.ts';
import { answerCalls } from '../ports/answers.ts';
import { Line } from '../ports/line.ts';
import type { RareCalls } from './rare-calls.ts';
import {
  followerName,
  type Hello,
  meetingChannel,
  NumberedChannel,
  say,
  SHARE_VERSION,
  type Welcome,
} from './share-protocol.ts';
import type { EngineWorker } from './worker.ts';

/** Serves every tab that asks for this database, until the engine closes. To be called when the Worker has the database. */
export async function lead(database: string, leader: EngineWorker): Promise<void> {
  const lock = await leader.hello();
  const followers = new Map<string, Follower>();
  const meeting = meetingChannel(database);
  meeting.addEventListener('message', ({ data }: MessageEvent<Hello | Welcome>) => {
    if (!('follower' in data)) return;
    const { follower: id, version } = data;
    const isNew = !followers.has(id);
    const isFull = isNew && followers.size >= FOLLOWERS_MAX;
    if (leader.engine !== null && version === SHARE_VERSION && isNew && !isFull) {
      const gone = (): boolean => followers.delete(id);
      followers.set(id, new Follower(id, { leader, lock, gone }));
    }
    const welcome = { to: id, version: SHARE_VERSION, lock: leader.engine && lock, isFull };
    say(meeting, welcome satisfies Welcome);
  });
  leader.onClose = () => {
    meeting.close();
    for (const follower of followers.values()) follower.dismiss();
  };
}

interface Serving {
  readonly leader: EngineWorker;
  readonly lock: string;
  /** Called when it is no more. */
  readonly gone: () => void;
}

/** A tab that follows, and what is open for it. */
class Follower {
  readonly #channel: NumberedChannel;
  readonly #line: Line;
  readonly #worker: EngineWorker;
  readonly #lock: string;
  /** Numbers of the channels of its queries are at most that. */
  #channels = 0;
  #calls: RareCalls | null = null;
  #isGone = false;

  constructor(id: string, { leader, lock, gone }: Serving) {
    const name = followerName(id);
    this.#lock = lock;
    this.#channel = new NumberedChannel(name, () => {
      this.#channel.break();
      void this.#leave();
    });
    this.#line = new Line(
      {
        // What is sent last is the end of queries that are closed with the follower.
        postMessage: (message) => {
          if (!this.#isGone) this.#channel.say(copied(message as unknown[]));
        },
        addEventListener: (_, listener) =>
          this.#channel.hear((data) => listener(new MessageEvent('message', { data }))),
      },
      (run, waitMs) => void setTimeout(run, waitMs),
    );
    // Not imported: in WebKit the Worker's module would be evaluated anew.
    this.#worker = new (leader.constructor as typeof EngineWorker)(this.#line);
    this.#worker.engine = leader.engine;
    answerCalls(this.#line.channel(0), this, () => this.#rarer());
    // Free once its page has ended its engine, or is no more.
    void navigator.locks.request(name, async () => {
      gone();
      await this.#leave();
    });
  }

  /** The engine closes: its queries would seem to have come to their ends. So nothing is said until the Worker's end says all. */
  dismiss(): void {
    this.#isGone = true;
    this.#channel.close();
  }

  async hello(): Promise<string> {
    return await Promise.resolve(this.#lock);
  }

  /** Is open already, as the leading tab would have it. */
  async open(): Promise<void> {
    await Promise.resolve();
  }

  /** Never resolves: a page that has lost its database ends its Worker, which this tab notices too. */
  async lost(): Promise<never> {
    return await new Promise(() => undefined);
  }

  execute(...given: Parameters<EngineWorker['execute']>): ReturnType<EngineWorker['execute']> {
    return this.#worker.execute(...given);
  }

  async query(...given: Parameters<EngineWorker['query']>): ReturnType<EngineWorker['query']> {
    const [, , channel] = given;
    this.#channels = Math.max(this.#channels, channel);
    const head = await this.#worker.query(...given);
    if (this.#isGone) this.#closeQuery(channel);
    return head;
  }

  produce(...given: Parameters<EngineWorker['produce']>): ReturnType<EngineWorker['produce']> {
    return this.#worker.produce(...given);
  }

  /** Closes what is open for it, and not the engine. */
  async close(): Promise<void> {
    for (let channel = 1; channel <= this.#channels; channel++) this.#closeQuery(channel);
    await this.#calls?.endPrints();
  }

  async #rarer(): Promise<RareCalls> {
    return (this.#calls ??= await this.#worker.rarer());
  }

  async #leave(): Promise<void> {
    this.#isGone = true;
    this.#channel.close();
    await this.close();
  }

  /** As its page would; one that has ended already hears nothing. */
  #closeQuery(channel: number): void {
    this.#line.take(new MessageEvent('message', { data: [channel, null] }));
  }
}

/** Over a BroadcastChannel all is copied: there is no buffer to give back. */
function copied(messages: readonly unknown[]): readonly unknown[] {
  return messages.map((message) =>
    typeof message === 'object' && message !== null && 'buffer' in message
      ? { ...message, buffer: null }
      : message,
  );
}
