// The log over HTTP: batches, single records and reads, beside the peer with the same client; knows no SQL.

import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import type { Workerd } from '../../support/workerd.ts';
import { Load, quantile } from './load.ts';
import type { Peer } from './peer.ts';
import { requestBytes } from './raw-http.ts';
import { type Contender, figure, interleaved, type Rounds } from './rounds.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const BATCH_RECORDS = 1_000;
const VALUE_BYTES = 100;
const BATCHES = 50;
const SINGLES = 400;
const READ_BYTES_MAX = 1_048_576;
const ROUNDS = 3;

/** A record's value: JSON of 100 bytes. */
const VALUE = JSON.stringify('x'.repeat(VALUE_BYTES - 2));

/** Sends one request so many times. @returns how long each took, in ms */
function times(load: Load, bytes: Buffer, count: number, pipelined: number): Promise<number[]> {
  let left = count;
  return load.run({ pipelined, status: 200, next: () => (left-- > 0 ? bytes : null) });
}

function recordBatch(): Uint8Array {
  const builder = new RecordBatchBuilder();
  const value = new TextEncoder().encode(VALUE);
  for (let i = 0; i < BATCH_RECORDS; i++) builder.append(null, value, 1_000_000, []);
  const batch = builder.finish();
  if (batch === null) throw new Error('a batch holds its records');
  return batch;
}

/** All cases of the log. */
export async function logCases(edge: Workerd, peer: Peer): Promise<Rounds[]> {
  const port = Number(new URL(edge.url).port);
  const [few, many] = [await Load.open(port, 4), await Load.open(port, 64)];
  const [peerFew, peerMany] = [await Load.open(peer.port, 4), await Load.open(peer.port, 64)];
  const topics = ['batches', 'records', 'singles'];
  for (const name of topics)
    await few.one(requestBytes('POST', '/topics', JSON.stringify({ name }), JSON_TYPE), 201);
  for (const name of topics)
    await peerFew.one(requestBytes('PUT', `/v1/stream/${name}`, null, JSON_TYPE), 201);
  const batch = recordBatch();
  const binary = requestBytes('POST', '/topics/batches/partitions/0/batch', batch, {
    'Content-Type': 'application/vnd.millrace.batch',
  });
  const records = `{"records":[${Array.from({ length: BATCH_RECORDS }, () => `{"value":${VALUE}}`).join(',')}]}`;
  const json = requestBytes('POST', '/topics/records/records', records, JSON_TYPE);
  const one = requestBytes(
    'POST',
    '/topics/singles/records',
    `{"records":[{"value":${VALUE}}]}`,
    JSON_TYPE,
  );
  const array = `[${Array.from({ length: BATCH_RECORDS }, () => VALUE).join(',')}]`;
  const peerBatch = requestBytes('POST', '/v1/stream/batches', array, JSON_TYPE);
  const peerOne = requestBytes('POST', '/v1/stream/singles', `[${VALUE}]`, JSON_TYPE);
  const contender = (
    subject: string,
    pid: number,
    run: () => Promise<unknown>,
    count: number,
  ): Contender => ({ subject, pid, run: async () => (await run(), count) });
  const ours = (run: () => Promise<unknown>, count: number): Contender =>
    contender('millrace', edge.pid, run, count);
  const theirs = (load: Load, bytes: Buffer, count: number, each: number): Contender => ({
    subject: 'Durable Streams',
    pid: peer.pid,
    run: async () => {
      let left = count;
      await load.run({ pipelined: 1, status: 204, next: () => (left-- > 0 ? bytes : null) });
      return count * each;
    },
  });
  const singleMs: number[] = [];
  const rounds = [
    await interleaved(
      'produce, batches of 1,000 x 100 B',
      'k records/s',
      [
        ours(() => times(few, binary, BATCHES, 2), BATCHES * BATCH_RECORDS),
        theirs(peerFew, peerBatch, BATCHES, BATCH_RECORDS),
      ],
      ROUNDS,
    ),
    await interleaved(
      'produce, JSON of 1,000 x 100 B',
      'k records/s',
      [
        ours(() => times(few, json, BATCHES / 5, 2), (BATCHES / 5) * BATCH_RECORDS),
        theirs(peerFew, peerBatch, BATCHES / 5, BATCH_RECORDS),
      ],
      ROUNDS,
    ),
    await interleaved(
      'produce, 1 record, 64 at once',
      'k requests/s',
      [
        ours(async () => singleMs.push(...(await times(many, one, SINGLES, 1))), SINGLES),
        theirs(peerMany, peerOne, SINGLES, 1),
      ],
      ROUNDS,
    ),
  ];
  const reads = await readCases(edge, peer, few, peerFew, batch.length);
  for (const load of [few, many, peerFew, peerMany]) load.close();
  const singles = {
    results: [
      figure('produce, 1 record, 64 at once: p50', 'ms', quantile(singleMs, 0.5)),
      figure('produce, 1 record, 64 at once: p99', 'ms', quantile(singleMs, 0.99)),
    ],
    ratios: [],
  };
  return [...rounds, singles, reads];
}

/** Reads what the first case has produced, in pages of 1 MiB; the peer gives what a stream holds in one answer. */
function readCases(
  edge: Workerd,
  peer: Peer,
  few: Load,
  peerFew: Load,
  batchBytes: number,
): Promise<Rounds> {
  const pageRecords = Math.floor(READ_BYTES_MAX / batchBytes) * BATCH_RECORDS;
  const wanted = BATCHES * BATCH_RECORDS;
  const pages = async (): Promise<number> => {
    let offset = 0;
    let count = 0;
    await few.run({
      pipelined: 1,
      status: 200,
      next: () => {
        if (offset >= wanted) return null;
        const path = `/topics/batches/partitions/0/records?offset=${offset}`;
        offset += pageRecords;
        return requestBytes('GET', path, null, { Accept: 'application/vnd.millrace.batches' });
      },
      onAnswer: (_, bytes) => {
        count += (bytes / (batchBytes + 16)) * BATCH_RECORDS;
      },
    });
    if (count < wanted) throw new Error(`${count} records where ${wanted} are due`);
    return count;
  };
  const whole = async (): Promise<number> => {
    let bytes = 0;
    let left = 1;
    await peerFew.run({
      pipelined: 1,
      status: 200,
      next: () => (left-- > 0 ? requestBytes('GET', '/v1/stream/batches?offset=-1') : null),
      onAnswer: (_, bodyBytes) => {
        bytes += bodyBytes;
      },
    });
    return Math.floor(bytes / (VALUE_BYTES + 1));
  };
  return interleaved(
    'read, pages of 1 MiB',
    'k records/s',
    [
      { subject: 'millrace', pid: edge.pid, run: pages },
      { subject: 'Durable Streams', pid: peer.pid, run: whole },
    ],
    ROUNDS,
  );
}
