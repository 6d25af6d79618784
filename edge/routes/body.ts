// Request bodies: media type and JSON; knows no route.

import { messageOf } from '../../runtime/base/errors.ts';
import type { Bodies } from '../guard/bodies.ts';
import { refusal } from './errors.ts';
import { repeatedName } from './json-spans.ts';

const JSON_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/vnd.ksql.v1+json',
]);

/** What else statements and queries may come as: ksqlDB looks at no type, and its own examples leave curl's. */
const STATEMENT_TYPES: ReadonlySet<string> = new Set([
  ...JSON_TYPES,
  'application/vnd.ksqlapi.delimited.v1',
  'application/x-www-form-urlencoded',
]);

/** What of a request's context a body is read by. */
interface BodyContext {
  readonly req: { readonly raw: Request };
  readonly var: { readonly edge: { readonly bodies: Bodies } };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Refuses (415) a body of another media type; a charset, when named, is utf-8. */
export function requireMediaType(request: Request, types: ReadonlySet<string>): void {
  const given = request.headers.get('Content-Type') ?? '';
  const [type = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (types.has(type) && isUtf8) return;
  throw refusal(
    'MEDIA_TYPE',
    `Content-Type is '${given.slice(0, 100)}'; send ${[...types].join(' or ')}`,
  );
}

/** The whole body. Refuses (413) beyond BODY_BYTES_MAX, and (408) what stalls on its way. */
export async function readBody(c: BodyContext): Promise<Uint8Array> {
  const request = c.req.raw;
  if (request.headers.has('Content-Encoding')) {
    throw refusal('MEDIA_TYPE', 'bodies with a Content-Encoding are not read');
  }
  return c.var.edge.bodies.read(request);
}

/** The bytes of a body that says it is JSON. */
export async function readJsonBytes(c: BodyContext): Promise<Uint8Array> {
  requireMediaType(c.req.raw, JSON_TYPES);
  return readBody(c);
}

/** A JSON body as its text, which is known to be well-formed, and its value. */
function jsonOf(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  if (bytes.length === 0) throw refusal('BAD_REQUEST', 'there is no body: send JSON');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (thrown) {
    throw refusal('BAD_REQUEST', `the body is not UTF-8: ${messageOf(thrown)}`);
  }
  try {
    return { text, value: JSON.parse(text) as unknown };
  } catch (thrown) {
    throw refusal('BAD_REQUEST', `the body is not JSON: ${messageOf(thrown).slice(0, 200)}`);
  }
}

/** A JSON body that steers: no name may stand twice, for whoever wrote it may have meant the other one. Of data the last counts. */
export async function readOrder(c: BodyContext): Promise<unknown> {
  return orderIn(await readJsonBytes(c));
}

/** As `readOrder`, of statements and queries. A page of another origin, which could send it as a form, is refused before. */
export async function readStatements(c: BodyContext): Promise<unknown> {
  requireMediaType(c.req.raw, STATEMENT_TYPES);
  return orderIn(await readBody(c));
}

function orderIn(bytes: Uint8Array): unknown {
  const { text, value } = jsonOf(bytes);
  const repeated = repeatedName(text);
  if (repeated !== null) {
    throw refusal('BAD_REQUEST', `the body has '${repeated.slice(0, 50)}' twice`);
  }
  return value;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
