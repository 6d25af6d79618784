// Tickets: what a browser shows where it cannot send a key, on a WebSocket or an EventSource; signed, for one path, for moments. Knows no route.

import { decodeBase64Url, encodeBase64Url } from '../../runtime/base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { TICKET_MS_MAX } from '../../runtime/base/limits.ts';
import type { Principal } from './principal.ts';

/** The name of the secret that tickets are signed with. */
export interface TicketsEnv {
  /** 32 characters or more; without it an edge with keys gives no tickets. */
  readonly MILLRACE_TICKET_SECRET?: string | undefined;
}

/** What a ticket says. */
export interface Ticket {
  readonly principal: Principal;
  /** The one path that it opens. */
  readonly path: string;
  readonly expiresMs: number;
  /** Told apart from all others: it opens once. */
  readonly nonce: string;
}

/** Notes that a ticket is used, once its signature has shown that there is such a tenant. false: it was used before. */
export type UseTicket<Env> = (env: Env, ticket: Ticket) => Promise<boolean>;

/** The protocol that sockets speak, and what stands before a ticket among those that a client offers. */
export const SOCKET_PROTOCOL = 'millrace';
const OFFERED = 'ticket.';
const SECRET_LENGTH_MIN = 32;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

/** The key of the secret that was used last. */
let known: { readonly secret: string; readonly key: CryptoKey } | null = null;

async function keyOf(env: TicketsEnv): Promise<CryptoKey | null> {
  const secret = env.MILLRACE_TICKET_SECRET;
  if (typeof secret !== 'string' || secret.length < SECRET_LENGTH_MIN) return null;
  if (known?.secret === secret) return known.key;
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign', 'verify']);
  known = { secret, key };
  return key;
}

/** A ticket for one request of a principal to a path, and until when it opens it; null: the edge has no secret to sign with. */
export async function signedTicket(
  env: TicketsEnv,
  principal: Principal,
  path: string,
): Promise<{ readonly ticket: string; readonly expiresMs: number } | null> {
  const key = await keyOf(env);
  if (key === null) return null;
  const expiresMs = Date.now() + TICKET_MS_MAX;
  const { name, tenant } = principal;
  const said = encodeBase64Url(
    encodeUtf8(JSON.stringify([tenant, name, path, expiresMs, randomNonce()])),
  );
  const signature = await crypto.subtle.sign(HMAC, key, new TextEncoder().encode(said));
  return { ticket: `${said}.${encodeBase64Url(new Uint8Array(signature))}`, expiresMs };
}

/** The ticket that a request shows, unread; null: it shows none. */
export function shownTicket(request: Request): string | null {
  const offered = (request.headers.get('Sec-WebSocket-Protocol') ?? '').split(',');
  for (const protocol of offered) {
    const name = protocol.trim();
    if (name.startsWith(OFFERED)) return name.slice(OFFERED.length);
  }
  // Most requests have no parameters, and taking their URL apart costs as much as all else here.
  const hasParameters = request.url.includes('?');
  return hasParameters ? new URL(request.url).searchParams.get('ticket') : null;
}

/** What a ticket says; null when it is not one of this edge, has expired, or is for another path or another kind of request. */
export async function readTicket(
  env: TicketsEnv,
  text: string,
  request: Request,
): Promise<Ticket | null> {
  const key = await keyOf(env);
  const [said = '', signed = ''] = text.split('.', 2);
  const signature = decodeBase64Url(signed);
  if (key === null || signature === null) return null;
  // Compares in constant time.
  const data = new TextEncoder().encode(said);
  if (!(await crypto.subtle.verify(HMAC, key, signature, data))) return null;
  const bytes = decodeBase64Url(said);
  if (bytes === null) return null;
  // It is what this edge has signed.
  const [tenant, name, path, expiresMs, nonce] = JSON.parse(decodeUtf8(bytes)) as [
    string,
    string,
    string,
    number,
    string,
  ];
  const isDue = Date.now() < expiresMs && path === new URL(request.url).pathname;
  return isDue && takesNoHeader(request)
    ? { principal: { name, tenant }, path, expiresMs, nonce }
    : null;
}

/** Requests for which browsers let no header be set. */
function takesNoHeader(request: Request): boolean {
  if (request.method !== 'GET') return false;
  if (request.headers.get('Upgrade')?.toLowerCase() === 'websocket') return true;
  return request.headers.get('Accept')?.toLowerCase().includes('text/event-stream') === true;
}

/** What a socket's answer says of its protocol: a browser that has offered some wants one of them. */
export function protocolHeaders(request: Request): Record<string, string> {
  const offered = request.headers.get('Sec-WebSocket-Protocol') ?? '';
  const isOffered = offered.split(',').some((name) => name.trim() === SOCKET_PROTOCOL);
  return isOffered ? { 'Sec-WebSocket-Protocol': SOCKET_PROTOCOL } : {};
}

function randomNonce(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(16)));
}
