// Whether a request was made on this machine; knows no key.

/**
 * True when the edge was reached by a name or an address of this machine, and not by way of Cloudflare, which says whom it serves. A page
 * of another site cannot make its browser send such a Host.
 */
export function isLoopback(request: Request): boolean {
  const { hostname } = new URL(request.url);
  const client = request.headers.get('CF-Connecting-IP');
  return isLocal(hostname) && (client === null || isLocal(client));
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
