// Who in a relay watches which partition, found by partition; knows no call.

import type { TopicPartition } from '../../runtime/ports/log.ts';
import type { LiveSocket, Subscription } from './subscriptions.ts';

/** A subscription and whose it is. */
export interface Watcher {
  readonly socket: LiveSocket;
  readonly subscription: Subscription;
}

/** One partition that is watched. */
export class Place {
  readonly at: TopicPartition;
  readonly tenant: string;
  /** Name of the relay. */
  readonly relay: string;
  readonly watchers = new Map<Subscription, Watcher>();
  /** Subscriptions on their way here. */
  pending = 0;
  /** What is known of the end of the partition; Infinity: it must be read to be known. */
  highWatermark = Infinity;
  /** true: a reading goes on. */
  isPumped = false;
  /** true: the partition has this relay among its subscribers, as far as this instance knows. */
  isSubscribed = false;

  constructor(at: TopicPartition, tenant: string, relay: string) {
    this.at = at;
    this.tenant = tenant;
    this.relay = relay;
  }

  get isWatched(): boolean {
    return this.watchers.size > 0 || this.pending > 0;
  }

  /** A subscription that can be sent something, each in its turn; null when there is none. */
  nextReady(): Subscription | null {
    for (const [subscription, watcher] of this.watchers) {
      const { next, waitingMs } = subscription;
      if (waitingMs !== null || watcher.socket.isHeld || next >= this.highWatermark) continue;
      // It goes to the end, so that one that is far behind holds up nobody.
      this.watchers.delete(subscription);
      this.watchers.set(subscription, watcher);
      return subscription;
    }
    return null;
  }
}

/** All of a relay. Those that nobody watches any more are forgotten when their partition next asks. */
export class Places {
  readonly #places = new Map<string, Place>();

  get all(): Iterable<Place> {
    return this.#places.values();
  }

  of(at: TopicPartition): Place | null {
    return this.#places.get(keyOf(at)) ?? null;
  }

  /** The place, made where it is new. */
  made(at: TopicPartition, { tenant, relay }: LiveSocket): Place {
    const key = keyOf(at);
    let place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, (place = new Place(at, tenant, relay)));
    return place;
  }

  add(socket: LiveSocket, subscription: Subscription): Place {
    const place = this.made(subscription, socket);
    place.watchers.set(subscription, { socket, subscription });
    return place;
  }

  remove(subscription: Subscription): void {
    const place = this.of(subscription);
    place?.watchers.delete(subscription);
  }

  /** A subscription on its way here has come, or has been refused: nothing is kept for what is not there. */
  arrived(place: Place): void {
    place.pending -= 1;
    if (!place.isWatched && !place.isSubscribed) this.forget(place);
  }

  /** Forgets a place that is not watched. */
  forget(place: Place): void {
    this.#places.delete(keyOf(place.at));
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}
