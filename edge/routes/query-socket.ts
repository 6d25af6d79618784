// A WebSocket of queries, which run in the Worker that holds it: rows within the credit of each; knows no plan.

import { log } from '../../runtime/base/log.ts';
import type { Hono } from 'hono';
import { StatementError } from '../../runtime/base/errors.ts';
import {
  SOCKET_CREDIT_ROWS_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
  SOCKET_MESSAGES_SECOND_MAX,
  SOCKET_QUERIES_MAX,
  STATEMENT_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { isAskText } from '../ask.ts';
import { protocolHeaders } from '../guard/tickets.ts';
import { integer, jsonObject, SOCKET_ID_MAX, Violation } from '../objects/socket-messages.ts';
import type { RowText } from '../rows.ts';
import type { Edge, EdgeHono } from './context.ts';
import { errorBody } from './errors.ts';
import { type RunningQuery, startSelect } from './queries.ts';
import { headerMembers, rowMembers } from './query-events.ts';
import { queryOf, type QueryRequest } from './script.ts';
import { SocketQuery } from './socket-query.ts';
import { SocketRoom } from './socket-room.ts';
import { requireUpgrade } from './sockets.ts';

/** A message may hold a statement beside the rest. */
const MESSAGE_BYTES_MAX = STATEMENT_BYTES_MAX + SOCKET_MESSAGE_BYTES_MAX;

export function querySocketRoutes(app: Hono<EdgeHono>): void {
  app.get('/query-socket', (c) => {
    requireUpgrade(c);
    const { 0: client, 1: server } = new WebSocketPair();
    new QuerySocket(c.var.edge, server).open();
    const headers = protocolHeaders(c.req.raw);
    return new Response(null, { status: 101, webSocket: client, headers });
  });
}

class QuerySocket {
  readonly #edge: Edge;
  readonly #ws: WebSocket;
  readonly #queries = new Map<number, SocketQuery>();
  readonly #room: SocketRoom;
  #messages = 0;
  #secondMs = 0;

  constructor(edge: Edge, ws: WebSocket) {
    this.#edge = edge;
    this.#ws = ws;
    this.#room = new SocketRoom({
      send: (ask) => this.#send(ask),
      giveWay: () => this.#close(1013, 'nothing that was sent was read'),
    });
  }

  open(): void {
    this.#ws.accept();
    this.#ws.addEventListener('message', ({ data }) => this.#received(data));
    this.#ws.addEventListener('close', () => this.#close(1000, ''));
    this.#ws.addEventListener('error', () => this.#close(1011, ''));
    this.#edge.calls.onOver(() => this.#outOfCalls());
  }

  /** No query goes on here; those that can do so elsewhere, the others are told. */
  #outOfCalls(): void {
    const { refusal } = this.#edge.calls;
    for (const { id, running } of this.#queries.values())
      if (running?.isResumable === false)
        this.#send(JSON.stringify({ op: 'error', id, ...errorBody(refusal) }));
    this.#close(1012, 'this connection may make no more calls');
  }

  #received(data: string | ArrayBuffer | Blob): void {
    // It was closed, and its client does not know yet, or does not care: nobody would end what this begins.
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (data === 'ping') {
      this.#ws.send('pong');
      return;
    }
    if (typeof data !== 'string') {
      this.#close(1003, 'messages are texts');
      return;
    }
    if (data.length > MESSAGE_BYTES_MAX) {
      this.#close(1009, `a message has at most ${MESSAGE_BYTES_MAX} bytes`);
      return;
    }
    try {
      this.#count();
      if (isAskText(data)) this.#room.answered(data);
      else this.#take(jsonObject(data));
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.#close(1008, thrown.message);
    }
  }

  #count(): void {
    const nowMs = Date.now();
    if (nowMs - this.#secondMs >= 1_000) {
      this.#secondMs = nowMs;
      this.#messages = 0;
    }
    this.#messages += 1;
    if (this.#messages > SOCKET_MESSAGES_SECOND_MAX)
      throw new Violation(`more than ${SOCKET_MESSAGES_SECOND_MAX} messages in a second`);
  }

  #take(message: Readonly<Record<string, unknown>>): void {
    const id = integer(message, 'id', SOCKET_ID_MAX);
    const query = this.#queries.get(id);
    switch (message['op']) {
      case 'query': {
        if (query !== undefined) throw new Violation(`id ${id} is in use`);
        if (this.#queries.size >= SOCKET_QUERIES_MAX)
          throw new Violation(`a socket has at most ${SOCKET_QUERIES_MAX} queries`);
        const started = new SocketQuery(id, integer(message, 'credit', SOCKET_CREDIT_ROWS_MAX));
        this.#queries.set(id, started);
        void this.#run(started, message);
        return;
      }
      case 'credit': {
        const rows = integer(message, 'rows', SOCKET_CREDIT_ROWS_MAX);
        if (query === undefined) return; // It ended while this was on its way.
        if (query.credit + rows > SOCKET_CREDIT_ROWS_MAX)
          throw new Violation(`credit is at most ${SOCKET_CREDIT_ROWS_MAX} rows`);
        query.grant(rows);
        return;
      }
      case 'close':
        void query?.close();
        return;
      default:
        throw new Violation('op is unknown');
    }
  }

  /** Never rejects: what goes wrong is told. */
  async #run(query: SocketQuery, message: Readonly<Record<string, unknown>>): Promise<void> {
    const { id } = query;
    let request: QueryRequest | null = null;
    try {
      request = queryOf(message, 'sql');
      const running = await startSelect(this.#edge, request.script, request.token);
      query.running = running;
      // It may have been closed while it was started.
      if (query.isClosed) await running.close();
      running.onEnded(() => {
        query.end();
        this.#room.wake();
      });
      const place = running.token(0);
      const placed = place === null ? {} : { token: place };
      this.#send(JSON.stringify({ op: 'header', id, ...headerMembers(running), ...placed }));
      for await (const rows of running.rows()) await this.#hand(query, running, rows);
      this.#send(JSON.stringify({ op: 'end', id, message: running.finalMessage }));
    } catch (thrown) {
      const isStatement = request !== null && thrown instanceof StatementError;
      const failed = isStatement ? { text: request?.script.sql ?? '', entities: [] } : undefined;
      const body = errorBody(thrown, failed);
      if (body.code === 'INTERNAL') log('error', 'socket-query-failed', { thrown });
      this.#send(JSON.stringify({ op: 'error', id, ...body }));
    } finally {
      this.#queries.delete(id);
    }
  }

  /** Sends rows as credit comes, each time with the place behind them. */
  async #hand(query: SocketQuery, running: RunningQuery, rows: readonly RowText[]): Promise<void> {
    const { id } = query;
    for (let at = 0; at < rows.length;) {
      if (!(await query.hasCredit())) {
        this.#close(1013, JSON.stringify({ id }));
        return;
      }
      if (!query.isWanted) return;
      const part = query.parts.next(rows, at, query.credit);
      at += part.length;
      query.credit -= part.length;
      const token = running.token(rows.length - at);
      const give = (): void => {
        const place = token === null ? '' : `,"token":"${token}"`;
        this.#send(`{"op":"rows","id":${id},${rowMembers(part)}${place}}`);
      };
      // A UTF-16 unit is a byte, as a rule.
      const length = part.reduce((sum, { columns }) => sum + columns.length + 1, 0);
      if (await this.#room.give(length, () => query.isWanted, give)) continue;
      this.#close(1013, JSON.stringify({ id }));
      return;
    }
  }

  /** What is sent to a socket that has gone is lost with it: its client goes on elsewhere from what it has. */
  #send(text: string): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(text);
  }

  #close(code: number, reason: string): void {
    if (this.#ws.readyState !== WebSocket.CLOSED) this.#ws.close(code, reason);
    this.#room.close();
    for (const query of this.#queries.values()) void query.close();
  }
}
