// Holds WebSockets of records, hibernating, and sends them what partitions tell of; knows no storage of records and no SQL.

import { log } from '../../runtime/base/log.ts';
import { DurableObject } from 'cloudflare:workers';
import { PortError } from '../../runtime/base/errors.ts';
import {
  HINT_BYTES_MAX,
  RELAY_SOCKETS_MAX,
  SOCKET_CREDIT_BYTES_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_IDLE_MS,
  SOCKET_MESSAGE_BYTES_MAX,
  SOCKET_MESSAGES_SECOND_MAX,
  SOCKET_STALL_MS,
  SOCKET_SUBSCRIPTIONS_MAX,
} from '../../runtime/base/limits.ts';
import type { Fetched, TopicPartition } from '../../runtime/ports/log.ts';
import type { RemoteLog } from '../adapters/remote-log.ts';
import { type EdgeEnv, partitionAt, type RelayPort } from '../env.ts';
import { errorBody } from '../routes/errors.ts';
import { isAskText } from '../ask.ts';
import { inLanes } from '../lanes.ts';
import { checkedLog } from '../topic-cache.ts';
import { settle, unwrap, type Wire } from '../wire.ts';
import { Alarm } from './alarm.ts';
import { Delivery } from './delivery.ts';
import { type Place, Places } from './places.ts';
import { clientMessage, type ClientMessage, Violation } from './socket-messages.ts';
import { Frames, LiveSocket, type Subscription } from './subscriptions.ts';

/** How often everything is looked at, whatever was lost; and soon, when a partition did not answer. */
const SWEEP_MS = 600_000;
const RETRY_MS = 1_000;
/** The answer of an append leaves its partition together with the hint: it goes before a thousand frames, not behind them. */
const FAN_OUT_AFTER_MS = 1;
export class Relay extends DurableObject<EdgeEnv> implements RelayPort {
  readonly #sockets = new Map<WebSocket, LiveSocket>();
  readonly #places = new Places();
  readonly #logs = new Map<string, RemoteLog>();
  readonly #alarm: Alarm;
  readonly #delivery: Delivery;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#delivery = new Delivery({
      keepAwake: (until) => ctx.waitUntil(until),
      arm: (atMs) => this.#alarm.arm(atMs),
      goOn: (sockets) => this.#goOn(sockets),
      close: (socket, code, reason) => this.#close(socket, code, reason),
    });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
    for (const ws of ctx.getWebSockets()) {
      if (ws.readyState !== WebSocket.OPEN) continue; // It was closed, and its client has not said so.
      const socket = LiveSocket.restored(ws);
      this.#sockets.set(ws, socket);
      for (const subscription of socket.subscriptions.values())
        this.#places.add(socket, subscription);
    }
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  /** Accepts a socket; 503 when there are as many as may be. The path is `/<tenant>/<name of this object>`. */
  override async fetch(request: Request): Promise<Response> {
    const [, tenant, relay] = new URL(request.url).pathname.split('/').map(decodeURIComponent);
    if (tenant === undefined || relay === undefined) return new Response(null, { status: 404 });
    if (this.#sockets.size >= RELAY_SOCKETS_MAX) this.#closeIdle();
    if (this.#sockets.size >= RELAY_SOCKETS_MAX) return new Response(null, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#sockets.set(server, LiveSocket.accepted(server, tenant, relay));
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Makes room. Of a client that goes before it is told that it is connected the platform may say nothing, neither now nor when something is sent:
   * a socket that has asked for nothing.
   */
  #closeIdle(): void {
    const sinceMs = Date.now() - SOCKET_IDLE_MS;
    for (const socket of this.#sockets.values()) {
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket.ws);
      if (socket.isIdle(sinceMs, pinged)) this.#close(socket, 1001, 'nothing was asked for');
    }
  }

  /** A partition has records up to `highWatermark`, or is gone (Infinity). false: nobody here watches it. */
  async wake(
    at: TopicPartition,
    highWatermark: number,
    brought: Fetched | null,
  ): Promise<Wire<boolean>> {
    return settle(() => {
      const place = this.#places.of(at);
      if (place === null || !place.isWatched) {
        if (place !== null) this.#places.forget(place);
        return false;
      }
      place.highWatermark = Math.max(known(place), highWatermark);
      if (brought !== null) this.#log(place.tenant).bring(at, brought);
      this.ctx.waitUntil(scheduler.wait(FAN_OUT_AFTER_MS).then(() => this.#pump(place)));
      return true;
    });
  }

  override async webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const socket = this.#sockets.get(ws);
    if (socket === undefined) return; // It was closed in the turn before.
    if (typeof message !== 'string') {
      this.#close(socket, 1003, 'messages are texts');
      return;
    }
    if (message.length > SOCKET_MESSAGE_BYTES_MAX) {
      this.#close(socket, 1009, `a message has at most ${SOCKET_MESSAGE_BYTES_MAX} bytes`);
      return;
    }
    try {
      if (socket.count(Date.now()) > SOCKET_MESSAGES_SECOND_MAX) {
        throw new Violation(`more than ${SOCKET_MESSAGES_SECOND_MAX} messages in a second`);
      }
      if (isAskText(message)) await this.#goOn(this.#delivery.answered(socket, message));
      else await this.#take(socket, clientMessage(message));
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.#close(socket, 1008, thrown.message);
    }
  }

  override async webSocketClose(ws: WebSocket, code: number): Promise<void> {
    const socket = this.#sockets.get(ws);
    // Codes that only say how it ended cannot be sent.
    if (socket !== undefined) this.#close(socket, code >= 3000 || code === 1001 ? code : 1000, '');
  }

  override async webSocketError(ws: WebSocket): Promise<void> {
    const socket = this.#sockets.get(ws);
    if (socket !== undefined) this.#close(socket, 1011, '');
  }

  async #take(socket: LiveSocket, message: ClientMessage): Promise<void> {
    const { id } = message;
    const subscription = socket.subscriptions.get(id);
    const coming = socket.coming.get(id);
    const named = subscription ?? coming;
    switch (message.op) {
      case 'subscribe':
        if (named !== undefined) throw new Violation(`id ${id} is in use`);
        if (socket.subscriptions.size + socket.coming.size >= SOCKET_SUBSCRIPTIONS_MAX)
          throw new Violation(`a socket has at most ${SOCKET_SUBSCRIPTIONS_MAX} subscriptions`);
        await this.#subscribe(socket, message);
        return;
      case 'credit':
        if (named === undefined) return; // It ended while this was on its way.
        if (named.credit + message.bytes > SOCKET_CREDIT_BYTES_MAX)
          throw new Violation(`credit is at most ${SOCKET_CREDIT_BYTES_MAX} bytes`);
        named.credit += message.bytes;
        if (subscription === undefined) return;
        subscription.waitingMs = null;
        await this.#goOn([socket]);
        return;
      case 'unsubscribe':
        if (coming !== undefined) coming.isWanted = false;
        if (subscription === undefined) return;
        this.#end(socket, subscription);
        socket.send({ op: 'end', id, next: subscription.next });
        return;
    }
  }

  /** Sends what they wait for. */
  async #goOn(sockets: Iterable<LiveSocket>): Promise<void> {
    const places = new Set<Place>();
    for (const socket of sockets) {
      socket.keep();
      for (const one of socket.subscriptions.values()) places.add(this.#places.made(one, socket));
    }
    await Promise.all(Array.from(places, (place) => this.#pump(place)));
  }

  async #subscribe(
    socket: LiveSocket,
    message: ClientMessage & { readonly op: 'subscribe' },
  ): Promise<void> {
    const { id, topic, partition, frame } = message;
    const at = { topic, partition };
    const coming = { credit: message.credit, isWanted: true };
    socket.coming.set(id, coming);
    const place = this.#places.made(at, socket);
    place.pending += 1;
    try {
      // Before the bounds are asked for, or what comes in between would be told to nobody.
      await this.#subscribeTo(place);
      const log = this.#log(place.tenant);
      const bounds = await log.bounds(at);
      let next: number;
      if (message.offset === 'earliest') next = bounds.start;
      else if (message.offset === 'latest') next = bounds.highWatermark;
      else next = message.offset;
      const { incarnation } = message;
      if (next !== bounds.start && next !== bounds.highWatermark) {
        // The partition says what is wrong with an offset or an incarnation.
        await log.readOrWait(at, next, 0, 0, incarnation);
      } else if (incarnation !== null && incarnation !== bounds.incarnation) {
        await log.readOrWait(at, next, 0, 0, incarnation);
      }
      if (!this.#sockets.has(socket.ws)) return;
      if (!coming.isWanted) {
        socket.send({ op: 'end', id, next });
        return;
      }
      const { start, highWatermark } = bounds;
      const subscription: Subscription = {
        id,
        topic,
        partition,
        incarnation: bounds.incarnation,
        next,
        credit: coming.credit,
        waitingMs: null,
        frame,
      };
      socket.subscriptions.set(id, subscription);
      socket.keep();
      socket.send({
        op: 'subscribed',
        id,
        next,
        start,
        highWatermark,
        incarnation: bounds.incarnation,
      });
      this.#places.add(socket, subscription);
      place.highWatermark = Math.max(known(place), highWatermark);
      this.#alarm.arm(Date.now() + SWEEP_MS);
    } catch (thrown) {
      if (!this.#sockets.has(socket.ws)) return;
      socket.send({ op: 'error', id, next: null, ...errorBody(thrown) });
      return;
    } finally {
      socket.coming.delete(id);
      this.#places.arrived(place);
    }
    await this.#pump(place);
  }

  /** Has the partition tell this relay of appends. */
  async #subscribeTo(place: Place): Promise<void> {
    if (place.isSubscribed) return;
    await this.#log(place.tenant).bounds(place.at);
    await unwrap(partitionAt(this.env, place.tenant, place.at).subscribe(place.relay));
    place.isSubscribed = true;
  }

  /** Reads and sends until nobody who has credit is behind. One at a time a place, so that each socket gets its records in order. */
  async #pump(place: Place): Promise<void> {
    if (place.isPumped) return;
    place.isPumped = true;
    try {
      for (;;) {
        const first = place.nextReady();
        if (first === null) return;
        await this.#advance(place, first);
      }
    } finally {
      place.isPumped = false;
    }
  }

  async #advance(place: Place, first: Subscription): Promise<void> {
    const { next, incarnation } = first;
    try {
      const log = this.#log(place.tenant);
      // What a small frame holds is in the first batch, which comes in any case.
      const bytesMax = Math.max(first.frame ?? SOCKET_FRAME_BYTES_MAX, HINT_BYTES_MAX);
      const { batches, highWatermark } = await log.readOrWait(
        place.at,
        next,
        bytesMax,
        0,
        incarnation,
      );
      const frames = new Frames(batches, highWatermark);
      place.highWatermark = Math.max(known(place), highWatermark);
      for (const { socket, subscription } of place.watchers.values()) {
        if (subscription.incarnation === incarnation && subscription.next >= next)
          this.#delivery.deliver(place, socket, subscription, frames);
      }
    } catch (thrown) {
      this.#failed(place, first, thrown);
    }
  }

  /** A partition that does not answer for now is asked again; what it refuses ends those who asked for it. */
  #failed(place: Place, first: Subscription, thrown: unknown): void {
    const passes = thrown instanceof PortError && thrown.code === 'UNAVAILABLE';
    if (passes) {
      place.highWatermark = -1;
      this.#alarm.arm(Date.now() + RETRY_MS);
      return;
    }
    const body = errorBody(thrown);
    if (body.code === 'INTERNAL') log('error', 'relay-read', { ...place.at, thrown });
    for (const { socket, subscription } of place.watchers.values()) {
      if (subscription.incarnation !== first.incarnation || subscription.next !== first.next)
        continue;
      this.#end(socket, subscription);
      socket.send({ op: 'error', id: subscription.id, next: subscription.next, ...body });
    }
  }

  #end(socket: LiveSocket, subscription: Subscription): void {
    socket.subscriptions.delete(subscription.id);
    this.#places.remove(subscription);
    socket.keep();
  }

  #close(socket: LiveSocket, code: number, reason: string): void {
    this.#sockets.delete(socket.ws);
    this.#delivery.forget(socket);
    for (const subscription of socket.subscriptions.values()) this.#places.remove(subscription);
    socket.ws.close(code, reason);
  }

  /** Closes sockets whose records wait for credit too long, and looks at every place. Never throws. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      const nowMs = Date.now();
      let nextMs = nowMs + SWEEP_MS;
      for (const socket of this.#sockets.values()) {
        for (const { id, next, waitingMs } of socket.subscriptions.values()) {
          const sinceMs = waitingMs ?? socket.heldMs;
          if (sinceMs === null) continue;
          if (sinceMs + SOCKET_STALL_MS <= nowMs) {
            this.#close(socket, 1013, JSON.stringify({ id, next }));
            break;
          }
          nextMs = Math.min(nextMs, sinceMs + SOCKET_STALL_MS);
        }
      }
      await inLanes(this.#places.all, (place) => this.#swept(place));
      if (this.#sockets.size > 0) this.#alarm.arm(nextMs);
    } catch (thrown) {
      log('error', 'relay-alarm', { thrown });
      this.#alarm.arm(Date.now() + SWEEP_MS);
    }
  }

  async #swept(place: Place): Promise<void> {
    if (!place.isWatched) {
      this.#places.forget(place);
      return;
    }
    place.isSubscribed = false;
    place.highWatermark = Infinity;
    try {
      await this.#subscribeTo(place);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      // What else reading it comes to is told to those who watch.
      if (thrown.code === 'UNAVAILABLE') this.#alarm.arm(Date.now() + RETRY_MS);
    }
    await this.#pump(place);
  }

  #log(tenant: string): RemoteLog {
    let log = this.#logs.get(tenant);
    if (log === undefined) this.#logs.set(tenant, (log = checkedLog(this.env, tenant)));
    return log;
  }
}

/** What is known of the end of the partition, as a number. */
function known({ highWatermark }: Place): number {
  return highWatermark === Infinity ? -1 : highWatermark;
}
