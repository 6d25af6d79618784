// Who asks: API keys, known by their hashes alone, or a ticket; without any key only this machine may ask. Knows no route.

import { log } from '../../runtime/base/log.ts';
import { isLoopback } from './loopback.ts';
import { refusal } from '../routes/errors.ts';
import { readTicket, shownTicket, type UseTicket } from './tickets.ts';

/** Whoever has proved who it is. */
export interface Principal {
  /** Names whose requests are counted together. */
  readonly name: string;
  /** Whose topics, tables and queries it sees; nobody sees another tenant's. */
  readonly tenant: string;
}

/** A key that may ask. The key itself is kept nowhere: it is random and long, so that its plain hash tells nothing. */
export interface ApiKey {
  readonly name: string;
  /** SHA-256 of the key's UTF-8, 64 hexadecimal digits. */
  readonly sha256: string;
  /** `default` when absent. */
  readonly tenant?: string | undefined;
  /** From this time on (ISO 8601) it is refused; absent: never. */
  readonly expires?: string | undefined;
}

/**
 * Who may ask. Keys; or a function that knows (a JSON Web Token, Cloudflare Access) and gives null for nobody; or `off`: everybody, wherever
 * the edge is reached.
 */
export type Auth<Env> =
  | 'off'
  | readonly ApiKey[]
  | ((request: Request, env: Env) => Principal | null | Promise<Principal | null>);

/** The name of the secret that holds the keys as JSON, where the code gives none. */
export interface KeysEnv {
  readonly MILLRACE_KEYS?: string | undefined;
}

const EVERYBODY: Principal = { name: '', tenant: 'default' };

/**
 * Who sent the request.
 * @param auth absent: the keys of MILLRACE_KEYS; without those whoever asks on this machine, and nobody else
 * @param use notes that a ticket is used
 * @throws 401
 */
export async function principalOf<Env extends object>(
  request: Request,
  env: Env,
  auth: Auth<Env> | undefined,
  use: UseTicket<Env>,
): Promise<Principal> {
  if (auth === 'off') return EVERYBODY;
  const keys = auth ?? keysOf(env);
  if (keys === null && isLoopback(request)) return EVERYBODY;
  const shown = shownTicket(request);
  if (shown !== null) {
    const ticket = await readTicket(env, shown, request);
    if (ticket === null || !(await use(env, ticket))) return unauthorized();
    return ticket.principal;
  }
  if (typeof keys === 'function') return (await keys(request, env)) ?? unauthorized();
  if (keys === null) {
    throw refusal(
      'UNAUTHORIZED',
      "this edge has no keys, and answers its own machine alone: set the secret MILLRACE_KEYS, or createEdge({ auth: 'off' })",
    );
  }
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get('Authorization') ?? '') ?? [];
  return token === undefined ? unauthorized() : ((await keyOf(token, keys)) ?? unauthorized());
}

function unauthorized(): never {
  throw refusal('UNAUTHORIZED', 'send Authorization: Bearer with a key of this edge');
}

/** What MILLRACE_KEYS said last, and the keys in it. */
let parsed: { readonly text: string; readonly keys: readonly ApiKey[] } | null = null;

/** null: there is no such secret. A secret that holds no keys lets nobody in. */
function keysOf(env: KeysEnv): readonly ApiKey[] | null {
  const text = env.MILLRACE_KEYS;
  if (typeof text !== 'string') return null;
  if (parsed?.text === text) return parsed.keys;
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    keys = null; // The text is a secret: the parser's message, which quotes it, goes nowhere.
  }
  if (!Array.isArray(keys) || !keys.every(isKey)) {
    // It is to be a JSON array of {"name", "sha256", "tenant"?, "expires"?}; nobody is let in.
    log('error', 'secret-malformed', { code: 'MILLRACE_KEYS' });
    keys = [];
  }
  parsed = { text, keys: keys as ApiKey[] };
  return parsed.keys;
}

function isKey(given: unknown): given is ApiKey {
  if (typeof given !== 'object' || given === null) return false;
  const { name, sha256, tenant, expires } = given as Partial<Record<keyof ApiKey, unknown>>;
  return (
    typeof name === 'string' &&
    typeof sha256 === 'string' &&
    (tenant === undefined || typeof tenant === 'string') &&
    (expires === undefined || (typeof expires === 'string' && !Number.isNaN(Date.parse(expires))))
  );
}

/** Every key is looked at, and every byte of it, so that the time taken does not tell how near a guess was. */
async function keyOf(token: string, keys: readonly ApiKey[]): Promise<Principal | null> {
  const digest = new Uint8Array(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)),
  );
  let found: ApiKey | null = null;
  for (const key of keys) if (isSame(digest, key.sha256)) found = key;
  if (found === null) return null;
  // A time that cannot be read is no time that lies ahead.
  const isExpired = found.expires !== undefined && !(Date.parse(found.expires) > Date.now());
  return isExpired ? null : { name: found.name, tenant: found.tenant ?? 'default' };
}

function isSame(digest: Uint8Array, sha256: string): boolean {
  let difference = sha256.length ^ (digest.length * 2);
  digest.forEach((byte, i) => {
    difference |= byte ^ Number.parseInt(sha256.slice(i * 2, i * 2 + 2), 16);
  });
  return difference === 0;
}
