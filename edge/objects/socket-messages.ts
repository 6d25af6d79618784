// What clients say on a socket of records: texts to messages, strictly; knows no socket.

import {
  NAME_LENGTH_MAX,
  PARTITIONS_MAX,
  SOCKET_CREDIT_BYTES_MAX,
  SOCKET_FRAME_BYTES_MAX,
} from '../../runtime/base/limits.ts';

/** A message of a client. */
export type ClientMessage =
  | {
      readonly op: 'subscribe';
      readonly id: number;
      readonly topic: string;
      readonly partition: number;
      readonly offset: number | 'earliest' | 'latest';
      readonly incarnation: string | null;
      readonly credit: number;
      /** Bytes of the first frame at most; null: of each as many as a frame may have. */
      readonly frame: number | null;
    }
  | { readonly op: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly op: 'unsubscribe'; readonly id: number };

/** Greatest number that a client may give a subscription. */
export const SOCKET_ID_MAX = 0xffff_ffff;

/** What a close frame says to a client that breaks the rules; the text is what it did. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @throws {Violation} for what is no message */
export function clientMessage(text: string): ClientMessage {
  const given = jsonObject(text);
  const id = integer(given, 'id', SOCKET_ID_MAX);
  switch (given['op']) {
    case 'subscribe': {
      const { topic, offset, incarnation = null, frame = null } = given;
      if (typeof topic !== 'string' || topic.length > NAME_LENGTH_MAX)
        throw new Violation('topic is no name');
      if (incarnation !== null && (typeof incarnation !== 'string' || incarnation.length > 100))
        throw new Violation('incarnation is no text of an incarnation');
      return {
        op: 'subscribe',
        id,
        topic,
        partition: integer(given, 'partition', PARTITIONS_MAX),
        offset:
          offset === 'earliest' || offset === 'latest'
            ? offset
            : integer(given, 'offset', Number.MAX_SAFE_INTEGER),
        incarnation,
        credit: integer(given, 'credit', SOCKET_CREDIT_BYTES_MAX),
        frame: frame === null ? null : integer(given, 'frame', SOCKET_FRAME_BYTES_MAX),
      };
    }
    case 'credit':
      return { op: 'credit', id, bytes: integer(given, 'bytes', SOCKET_CREDIT_BYTES_MAX) };
    case 'unsubscribe':
      return { op: 'unsubscribe', id };
    default:
      throw new Violation('op is unknown');
  }
}

/** @throws {Violation} when the text is no JSON object */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Violation('a message is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Violation('a message is no JSON object');
}

/** @throws {Violation} unless the member is an integer within 0 .. max */
export function integer(
  given: Readonly<Record<string, unknown>>,
  name: string,
  max: number,
): number {
  const value = given[name];
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max)
    return Number(value);
  throw new Violation(`${name} is no integer within 0 .. ${max}`);
}
