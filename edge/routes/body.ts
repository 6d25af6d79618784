// Request bodies: media type, size counted as the bytes arrive, JSON; knows no route.

import { BODY_BYTES_MAX } from '../../runtime/base/limits.ts';
import { concatBytes } from '../../runtime/base/byte-arrays.ts';
import { messageOf } from '../../runtime/base/errors.ts';
import { refusal } from './errors.ts';
import { repeatedName } from './json-spans.ts';

const JSON_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/vnd.ksql.v1+json',
]);

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

/**
 * The whole body. Refuses (413) beyond BODY_BYTES_MAX; up to as much again is read and thrown away first, because a
 * client that is cut off while it writes may never see the answer.
 */
export async function readBody(request: Request): Promise<Uint8Array> {
  if (request.headers.has('Content-Encoding')) {
    throw refusal('MEDIA_TYPE', 'bodies with a Content-Encoding are not read');
  }
  const declared = Number(request.headers.get('Content-Length') ?? 0);
  if (declared > 2 * BODY_BYTES_MAX) throw tooLarge();
  if (request.body === null) return new Uint8Array(0);
  // HTTP ends a body where its length says. Read as a whole it takes one step and no copy, where a stream takes one of each every 4 KiB.
  if (request.headers.has('Content-Length') && declared <= BODY_BYTES_MAX) {
    const whole = new Uint8Array(await request.arrayBuffer());
    if (whole.length > BODY_BYTES_MAX) throw tooLarge();
    return whole;
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body as ReadableStream<Uint8Array>) {
    length += part.length;
    if (length > 2 * BODY_BYTES_MAX) break;
    if (length <= BODY_BYTES_MAX) parts.push(part);
    else parts.length = 0;
  }
  if (length > BODY_BYTES_MAX) throw tooLarge();
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(parts);
}

/** The bytes of a body that says it is JSON. */
export async function readJsonBytes(request: Request): Promise<Uint8Array> {
  requireMediaType(request, JSON_TYPES);
  return readBody(request);
}

/** A JSON body as its text, which is known to be well-formed, and its value. */
async function readJson(
  request: Request,
): Promise<{ readonly text: string; readonly value: unknown }> {
  const bytes = await readJsonBytes(request);
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

function tooLarge(): Error {
  return refusal('BODY_TOO_LARGE', `a body has at most ${BODY_BYTES_MAX} bytes (BODY_BYTES_MAX)`);
}

/** A JSON body that steers: no name may stand twice, for whoever wrote it may have meant the other one. Of data the last counts. */
export async function readOrder(request: Request): Promise<unknown> {
  const { text, value } = await readJson(request);
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
