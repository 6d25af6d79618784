// WebSockets of records over HTTP: how one is opened, and which relay holds it; knows no message.

import type { Hono } from 'hono';
import { PortError } from '../../runtime/base/errors.ts';
import { RELAYS_MAX } from '../../runtime/base/limits.ts';
import { relayAt } from '../env.ts';
import { protocolHeaders } from '../guard/tickets.ts';
import { relayName } from '../names.ts';
import type { Edge, EdgeContext, EdgeHono } from './context.ts';
import { refusal } from './errors.ts';

/** How long a Worker goes on from the relay that last had room before it tries from the first again. */
const REMEMBER_MS = 60_000;
/** Tenants whose relay an isolate remembers. */
const TENANTS_MAX = 1_000;

export function socketRoutes(app: Hono<EdgeHono>): void {
  const relays = new LastRelays();
  app.get('/socket', async (c) => {
    requireUpgrade(c);
    const webSocket = await opened(c.var.edge, relays);
    // Made anew: what an object answers cannot be given more headers.
    return new Response(null, { status: 101, webSocket, headers: protocolHeaders(c.req.raw) });
  });
}

/** Pages of other origins have been refused before every route (guard/origin.ts). @throws 426 without an upgrade */
export function requireUpgrade(c: EdgeContext): void {
  if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket') {
    throw refusal('UPGRADE_REQUIRED', 'this path is for WebSockets');
  }
}

/** Relays are filled one after the other, so that few of them watch a partition that few watch. */
async function opened({ env, tenant }: Edge, relays: LastRelays): Promise<WebSocket> {
  const first = relays.get(tenant);
  for (let i = 0; i < RELAYS_MAX; i++) {
    const number = (first + i) % RELAYS_MAX;
    const name = relayName(tenant, number);
    const path = [tenant, name].map(encodeURIComponent).join('/');
    const { webSocket } = await relayAt(env, tenant, number).fetch(
      new Request(`https://relay/${path}`, { headers: { Upgrade: 'websocket' } }),
    );
    if (webSocket === null) continue;
    relays.set(tenant, number);
    return webSocket;
  }
  throw new PortError('OVERLOADED', `${RELAYS_MAX} relays are full of sockets (RELAYS_MAX)`);
}

/** The relay that last had room, by tenant. */
class LastRelays {
  readonly #known = new Map<string, { readonly number: number; readonly atMs: number }>();

  get(tenant: string): number {
    const known = this.#known.get(tenant);
    return known === undefined || Date.now() - known.atMs >= REMEMBER_MS ? 0 : known.number;
  }

  set(tenant: string, number: number): void {
    const known = this.#known.get(tenant);
    if (known?.number === number && Date.now() - known.atMs < REMEMBER_MS) return;
    if (this.#known.size >= TENANTS_MAX) this.#known.clear();
    this.#known.set(tenant, { number, atMs: Date.now() });
  }
}
