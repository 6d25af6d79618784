// Tickets over HTTP: a key is changed for what a WebSocket or an EventSource of a browser can show; knows no signature.

import type { Hono } from 'hono';
import { SOCKET_PROTOCOL, signedTicket, type TicketsEnv } from '../guard/tickets.ts';
import { isObject, readOrder } from './body.ts';
import type { EdgeHono } from './context.ts';
import { refusal } from './errors.ts';

const PATHS =
  /^\/(?:socket|query-socket|query-stream|topics\/[^/]{1,750}\/partitions\/\d+\/records)$/;

export function ticketRoutes(app: Hono<EdgeHono>): void {
  app.post('/tickets', async (c) => {
    const { principal } = c.var;
    const value = await readOrder(c);
    const path = isObject(value) ? value['path'] : undefined;
    if (typeof path !== 'string' || !PATHS.test(path)) {
      throw refusal('BAD_REQUEST', '"path" is no path of a WebSocket or of server-sent events');
    }
    // Where nobody needs a key, nobody looks at a ticket.
    const answer =
      principal.name === ''
        ? { ticket: 'none', expiresMs: 0 }
        : await signedTicket(c.env as TicketsEnv, principal, path);
    if (answer === null) {
      const why = 'this edge has no secret MILLRACE_TICKET_SECRET of 32 characters or more';
      throw refusal('FORBIDDEN', `${why}, and gives no tickets`);
    }
    c.header('Cache-Control', 'no-store');
    return c.json({ ...answer, protocol: SOCKET_PROTOCOL }, 201);
  });
}
