// Which web pages may ask: an exact list of origins, for CORS and for WebSockets, which CORS does not cover; knows no route.

import { refusal } from '../routes/errors.ts';

/** What a page may send, beyond what every page may. */
const HEADERS = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Last-Event-ID',
  'Producer-Id',
  'Producer-Epoch',
  'Producer-Seq',
  'Topic-Incarnation',
].join(', ');

/** What a page may read of an answer. */
const EXPOSED = [
  'Millrace-Start',
  'Millrace-High-Watermark',
  'Millrace-Incarnation',
  'Retry-After',
].join(', ');

/** How long a browser remembers what it may send. */
const PREFLIGHT_SECONDS = '7200';

/**
 * Called before every route: refuses a page of another origin than the edge's own and those of the list, exactly as browsers write them. A
 * request without `Origin` comes from no page. CORS would only keep the answer from the page, and does nothing about WebSockets.
 * @throws 403
 */
export function requireOrigin(request: Request, allowed: ReadonlySet<string>): void {
  const origin = request.headers.get('Origin');
  if (origin === null || allowed.has(origin) || isOwn(request, origin)) return;
  throw refusal('FORBIDDEN', 'pages of this origin may not ask here');
}

// The scheme may differ: what stands before the edge may end TLS.
function isOwn(request: Request, origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(request.url).host;
}

/** The answer to a browser that asks what a page may send; null: it does not ask. An origin that is not listed is told nothing. */
export function preflight(request: Request, allowed: ReadonlySet<string>): Response | null {
  if (request.method !== 'OPTIONS' || !request.headers.has('Access-Control-Request-Method')) {
    return null;
  }
  const headers = new Headers({ Vary: 'Origin' });
  const origin = request.headers.get('Origin');
  if (origin !== null && allowed.has(origin)) {
    headers.set('Access-Control-Allow-Origin', origin);
    headers.set('Access-Control-Allow-Methods', 'GET, POST, DELETE');
    headers.set('Access-Control-Allow-Headers', HEADERS);
    headers.set('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  }
  return new Response(null, { status: 204, headers });
}

/** Lets a page of the list read the answer. */
export function showTo(request: Request, allowed: ReadonlySet<string>, headers: Headers): void {
  if (allowed.size > 0) headers.append('Vary', 'Origin');
  const origin = request.headers.get('Origin');
  if (origin === null || !allowed.has(origin)) return;
  headers.set('Access-Control-Allow-Origin', origin);
  headers.set('Access-Control-Expose-Headers', EXPOSED);
}
