// Record batches as they go over the wire to a reader (PROTOCOL.md section 7), and the reading of them from their partition by HTTP; knows no storage.

import { ByteWriter } from '../runtime/base/bytes.ts';
import { PortError } from '../runtime/base/errors.ts';
import type { Bounds, FetchedBatch } from '../runtime/ports/log.ts';
import type { PartitionPort } from './env.ts';
import { fromWire, noAnswer, toWire, type WireError } from './wire.ts';

export const FRAMES_TYPE = 'application/vnd.millrace.batches';
const FRAME_HEADER_BYTES = 16;
const REFUSED = 400;

/** What a reader asks a partition for. */
export interface FramesQuery {
  readonly from: number;
  readonly bytesMax: number;
  readonly waitMs: number;
  readonly incarnation: string | null;
}

const FRAMES_ADDRESS = 'https://partition/';

/** Where a partition's object is asked: bytes that are passed on as a body are not taken apart and put together on the way, as those of a call are. */
function framesAddress({ from, bytesMax, waitMs, incarnation }: FramesQuery): string {
  // Behind a sign, because `..` is a path of its own.
  const known = incarnation === null ? '' : `=${encodeURIComponent(incarnation)}`;
  return `${FRAMES_ADDRESS}${from}/${bytesMax}/${waitMs}/${known}`;
}

/** What was asked for at an address that `framesAddress` made. A path is taken apart in less time than a query. */
export function framesQueryOf({ url }: Request): FramesQuery {
  const [from, bytesMax, waitMs, known = ''] = url.slice(FRAMES_ADDRESS.length).split('/');
  return {
    from: Number(from),
    bytesMax: Number(bytesMax),
    waitMs: Number(waitMs),
    incarnation: known === '' ? null : decodeURIComponent(known.slice(1)),
  };
}

/** Batches one after the other, each behind its base (f64), count and length (u32). */
export function framesBytes(batches: readonly FetchedBatch[]): Uint8Array<ArrayBuffer> {
  const length = batches.reduce((sum, { bytes }) => sum + bytes.length + FRAME_HEADER_BYTES, 0);
  const to = new ByteWriter(length);
  for (const { base, count, bytes } of batches) {
    to.f64(base);
    to.u32(count);
    to.u32(bytes.length);
    to.bytes(bytes);
  }
  return to.buffer.subarray(0, to.position);
}

/** A page of frames, with the bounds as headers. */
export function framesAnswer(
  { start, highWatermark, incarnation }: Bounds,
  body: Uint8Array<ArrayBuffer> | ReadableStream,
): Response {
  return new Response(body, {
    headers: {
      'Content-Type': FRAMES_TYPE,
      'Millrace-Start': String(start),
      'Millrace-High-Watermark': String(highWatermark),
      'Millrace-Incarnation': incarnation,
    },
  });
}

/** The answer of an object that refuses. */
export function framesRefusal(thrown: unknown): Response {
  return Response.json(toWire(thrown), { status: REFUSED });
}

/**
 * What a partition answers, with a body that nobody has read yet.
 * @throws what the partition refuses; {PortError} UNAVAILABLE when it did not answer
 */
export async function framesOf(partition: PartitionPort, query: FramesQuery): Promise<Response> {
  let answer: Response;
  try {
    answer = await partition.fetch(framesAddress(query));
    if (answer.status === REFUSED) throw fromWire(await answer.json<WireError>());
  } catch (thrown) {
    if (thrown instanceof PortError) throw thrown;
    throw noAnswer(thrown);
  }
  return new Response(answer.body, { headers: answer.headers });
}
