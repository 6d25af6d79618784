// Cuts a URI into its components by RFC 2396 with IPv6 hosts, as java.net.URI does: nothing is normalized. Knows no function.

import { decodeUtf8 } from '../base/bytes.ts';
import { refused } from './refused.ts';

/** A URI's components, as they are written; null where there is none. */
export interface Uri {
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** '' is a path; an opaque URI such as `mailto:a@b` has none. */
  readonly path: string | null;
  readonly query: string | null;
  readonly fragment: string | null;
}

/** What a component may hold besides escapes and what is visible beyond ASCII. */
const UNRESERVED = "A-Za-z0-9_.!~*'()\\-";
const OTHERS = '\\u0081-\\u{10ffff}';
const ESCAPE = '%[0-9A-Fa-f]{2}';
const INVISIBLE = /[\p{Z}\u0081-\u009f]/u;

/** One component of these characters, whole. */
function component(characters: string): RegExp {
  return new RegExp(`^(?:[${UNRESERVED}${characters}${OTHERS}]|${ESCAPE})*$`, 'u');
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/u;
const ANYTHING = component(';/?:@&=+$,\\[\\]');
const PATH = component(':@&=+$,;/');
const REGISTRY_NAME = component('$,;:@&=+');
const USER_INFO = component(';:&=+$,');
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
/** The last label of several begins with a letter. */
const HOST_NAME = new RegExp(`^(?:${LABEL}\\.)*(?=[A-Za-z])${LABEL}\\.?$`, 'u');
/** A name of one label may begin with a digit. */
const HOST_LABEL = new RegExp(`^${LABEL}\\.?$`, 'u');
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?!$)|$)){4}$/u;
const SCOPE = /^[A-Za-z0-9_.]+$/u;
const PORT_MAX = 2_147_483_647;

function refuse(text: string, why: string): never {
  throw refused(text, `is no URL: ${why}`);
}

function check(whole: string, part: string, allowed: RegExp, what: string): void {
  if (!allowed.test(part) || INVISIBLE.test(part)) refuse(whole, `its ${what} is malformed`);
}

/** Cuts a text in two before the first of these characters. */
function cutBefore(text: string, characters: string): readonly [before: string, rest: string] {
  let at = 0;
  while (at < text.length && !characters.includes(text.charAt(at))) at++;
  return [text.slice(0, at), text.slice(at)];
}

/** @throws {RecordError} EXPRESSION when the text is not a URI */
export function parseUri(text: string): Uri {
  const [beforeHash, hash] = cutBefore(text, '#');
  const fragment = hash === '' ? null : hash.slice(1);
  if (fragment !== null) check(text, fragment, ANYTHING, 'fragment');
  const [name, afterName] = cutBefore(beforeHash, ':/?');
  if (!afterName.startsWith(':'))
    return { scheme: null, ...hierarchical(text, beforeHash, fragment), fragment };
  if (!SCHEME.test(name)) refuse(text, 'its scheme is malformed');
  const specific = afterName.slice(1);
  if (specific.startsWith('/'))
    return { scheme: name, ...hierarchical(text, specific, fragment), fragment };
  if (specific === '') refuse(text, 'there is nothing behind the scheme');
  check(text, specific, ANYTHING, 'part behind the scheme');
  return { scheme: name, host: null, port: null, path: null, query: null, fragment };
}

/** `[//authority][path][?query]` */
function hierarchical(
  whole: string,
  text: string,
  fragment: string | null,
): Pick<Uri, 'host' | 'port' | 'path' | 'query'> {
  let server: Server = NO_SERVER;
  let rest = text;
  if (text.startsWith('//')) {
    const [authority, behind] = cutBefore(text.slice(2), '/?');
    if (authority !== '') server = authorityOf(whole, authority);
    else if (behind === '' && fragment === null)
      refuse(whole, 'there is no host behind the slashes');
    rest = behind;
  }
  const [path, behind] = cutBefore(rest, '?');
  check(whole, path, PATH, 'path');
  const query = behind === '' ? null : behind.slice(1);
  if (query !== null) check(whole, query, ANYTHING, 'query');
  return { ...server, path, query };
}

interface Server {
  readonly host: string | null;
  readonly port: number | null;
}

const NO_SERVER: Server = { host: null, port: null };

/** An authority that names no server is the name of a registry, without a host, or malformed. */
function authorityOf(whole: string, authority: string): Server {
  const server = serverOf(authority);
  if (server !== null) return server;
  check(whole, authority, REGISTRY_NAME, 'host');
  return NO_SERVER;
}

/** `[user@]host[:port]`; null when it is not one. */
function serverOf(authority: string): Server | null {
  const at = authority.indexOf('@');
  const user = authority.slice(0, Math.max(0, at));
  if (!USER_INFO.test(user) || INVISIBLE.test(user)) return null;
  const place = authority.slice(at + 1);
  const behindHost = place.startsWith('[')
    ? place.indexOf(']') + 1
    : cutBefore(place, ':')[0].length;
  const host = place.slice(0, behindHost);
  if (!(host.startsWith('[') ? isBracketed(host) : isHost(host))) return null;
  const port = place.slice(behindHost);
  if (port === '' || port === ':') return { host, port: null };
  if (!/^:\d+$/u.test(port) || Number(port.slice(1)) > PORT_MAX) return null;
  return { host, port: Number(port.slice(1)) };
}

function isHost(host: string): boolean {
  return IPV4.test(host) || HOST_NAME.test(host) || HOST_LABEL.test(host);
}

/** `[address]` or `[address%scope]` */
function isBracketed(host: string): boolean {
  const [address, scope] = cutBefore(host.slice(1, -1), '%');
  return isIpv6(address) && (scope === '' || SCOPE.test(scope.slice(1)));
}

/** Eight groups of hexadecimal digits, the last two perhaps an IPv4 address, a run of zeros perhaps left out. */
function isIpv6(address: string): boolean {
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return false;
  const groups = [head, tail ?? ''].flatMap((side) => (side === '' ? [] : side.split(':')));
  const last = groups.at(-1) ?? '';
  const hasIpv4 = last.includes('.');
  if (hasIpv4 && !IPV4.test(last)) return false;
  const plain = hasIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9A-Fa-f]{1,4}$/u.test(group))) return false;
  const count = plain.length + (hasIpv4 ? 2 : 0);
  return tail === undefined ? count === 8 : count < 8;
}

/** A component with its escapes decoded as UTF-8; what is not UTF-8 becomes U+FFFD. */
export function decodeEscapes(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/gu, (run) => {
    const bytes = new Uint8Array(run.length / 3);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = Number.parseInt(run.slice(i * 3 + 1, i * 3 + 3), 16);
    return decodeUtf8(bytes);
  });
}
