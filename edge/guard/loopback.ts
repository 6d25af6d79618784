// Whether a request was made on this machine; knows no key.

/**
 * True when the edge was reached by a name or an address of this machine, and not by way of Cloudflare, which says whom it serves. A page
 * of another site cannot make its browser send such a Host.
 */
export function isLoopback(request: Request): boolean {
  const client = request.headers.get('CF-Connecting-IP');
  return isLocalUrl(request.url) && (client === null || isLocal(client));
}

/** The origin that was asked last: most requests of an isolate come by one, and taking a URL apart costs as much as all else here. */
let last = { origin: '', isLocal: false };

function isLocalUrl(url: string): boolean {
  const origin = url.slice(0, url.indexOf('/', 'https://'.length));
  if (last.origin !== origin) last = { origin, isLocal: isLocal(new URL(url).hostname) };
  return last.isLocal;
}

function isLocal(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    host === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  );
}
