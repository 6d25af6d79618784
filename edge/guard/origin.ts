// Which web pages may ask: an exact list of origins, for CORS and for WebSockets, which CORS does not cover; knows no route.

import { refusal } from '../routes/errors.ts';

/**
 * True when the page that a request comes from may ask: it has no `Origin` (no page, or one that only reads its own origin), the edge's own,
 * or one of the list. `Origin: null` is nobody's.
 */
function isOriginAllowed(request: Request, allowed: ReadonlySet<string>): boolean {
  const origin = request.headers.get('Origin');
  return origin === null || origin === new URL(request.url).origin || allowed.has(origin);
}

/**
 * To be called before a WebSocket is accepted: a browser opens one to any host and sends no preflight.
 * @throws 403
 */
export function requireOrigin(request: Request, allowed: ReadonlySet<string>): void {
  if (isOriginAllowed(request, allowed)) return;
  throw refusal('FORBIDDEN', 'pages of this origin may not ask here');
}
