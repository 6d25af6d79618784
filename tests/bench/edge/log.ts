// The log over HTTP: batches, JSON, single records and reads, beside the peer with the same client; knows no SQL.

import type { Workerd } from '../../support/workerd.ts';
import { Load, quantile } from './load.ts';
import { BareLoads } from './bare-loads.ts';
import { BATCH_RECORDS, FEW, JSON_TYPE, LogLoads, times, VALUE, VALUE_BYTES } from './log-loads.ts';
import type { Peer } from './peer.ts';
import { requestBytes } from './raw-http.ts';
import { type Contender, figure, interleaved, type Rounds } from './rounds.ts';

/** Requests of one round: enough that the clock's ticks of processor time do not matter, and that a round lasts as long as several fsyncs. */
const BATCHES = 200;
const JSON_BATCHES = 60;
const SINGLES = 1_500;
/** Of the peer, whose appends take several times as long. */
const PEER_SINGLES = 300;
const ROUNDS = 5;
/** What has been produced by then. */
const READ_BATCHES = (1 + ROUNDS) * BATCHES;

/** All cases of the log. `bare` stores the same bytes without a look at them (tests/workers/bench/bare.ts). */
export async function logCases(edge: Workerd, peer: Peer, bare: Workerd): Promise<Rounds[]> {
  using loads = await LogLoads.open(edge.url);
  using bareLoads = await BareLoads.open(bare.url);
  const [peerFew, peerMany] = [await Load.open(peer.port, FEW), await Load.open(peer.port, 64)];
  for (const name of ['batches', 'json', 'singles'])
    await peerFew.one(requestBytes('PUT', `/v1/stream/${name}`, null, JSON_TYPE), 201);
  const array = `[${Array.from({ length: BATCH_RECORDS }, () => VALUE).join(',')}]`;
  const peerBatch = requestBytes('POST', '/v1/stream/batches', array, JSON_TYPE);
  const peerJson = requestBytes('POST', '/v1/stream/json', array, JSON_TYPE);
  const peerOne = requestBytes('POST', '/v1/stream/singles', `[${VALUE}]`, JSON_TYPE);
  const ours = (run: () => Promise<number>): Contender => ({
    subject: 'millrace',
    pid: edge.pid,
    run,
  });
  const theirs = (run: () => Promise<number>): Contender => ({
    subject: 'Durable Streams',
    pid: peer.pid,
    run,
  });
  const least = (run: () => Promise<number>): Contender => ({
    subject: 'a bare object',
    pid: bare.pid,
    run,
  });
  const append = async (load: Load, bytes: Buffer, count: number, each: number) => {
    await times(load, bytes, count, 1, 204);
    return count * each;
  };
  const singleMs: number[] = [];
  const rounds = [
    await interleaved(
      'produce, batches of 1,000 x 100 B',
      'k records/s',
      [
        ours(() => loads.batches(BATCHES)),
        theirs(() => append(peerFew, peerBatch, JSON_BATCHES, BATCH_RECORDS)),
        least(() => bareLoads.batches(BATCHES)),
      ],
      ROUNDS,
    ),
    await interleaved(
      'produce, JSON of 1,000 x 100 B',
      'k records/s',
      [
        ours(() => loads.json(JSON_BATCHES)),
        theirs(() => append(peerFew, peerJson, JSON_BATCHES, BATCH_RECORDS)),
      ],
      ROUNDS,
    ),
    await interleaved(
      'produce, 1 record, 64 at once',
      'k requests/s',
      [
        ours(async () => {
          singleMs.push(...(await loads.singles(SINGLES)));
          return SINGLES;
        }),
        theirs(() => append(peerMany, peerOne, PEER_SINGLES, 1)),
      ],
      ROUNDS,
    ),
  ];
  // A batch is verified when an instance reads it first: what that costs is printed beside what further readers get.
  await loads.read(0, BATCHES);
  const startMs = performance.now();
  const firstRead = (await loads.read(BATCHES, READ_BATCHES)) / (performance.now() - startMs);
  // The peer gives all that a stream holds in one answer, whatever is asked for.
  for (const pageMiB of [1, 4]) {
    const pageBytes = pageMiB * 1_048_576;
    rounds.push(
      await interleaved(
        `read, pages of ${pageMiB} MiB`,
        'k records/s',
        [
          ours(() => loads.read(0, READ_BATCHES, pageBytes)),
          theirs(() => peerRead(peerFew)),
          least(() => bareLoads.read(READ_BATCHES, pageBytes)),
        ],
        ROUNDS,
      ),
    );
  }
  for (const load of [peerFew, peerMany]) load.close();
  // The first round warms up.
  const warm = singleMs.slice(SINGLES);
  const singles = {
    results: [
      figure('produce, 1 record, 64 at once: p50', 'ms', quantile(warm, 0.5)),
      figure('produce, 1 record, 64 at once: p99', 'ms', quantile(warm, 0.99)),
      figure('read, pages of 1 MiB, for the first time', 'k records/s', firstRead),
    ],
    ratios: [],
  };
  return [...rounds, singles];
}

/** The peer gives what a stream holds in one answer. @returns how many records */
async function peerRead(load: Load): Promise<number> {
  let bytes = 0;
  let left = 1;
  await load.run({
    pipelined: 1,
    status: 200,
    next: () => (left-- > 0 ? requestBytes('GET', '/v1/stream/batches?offset=-1') : null),
    onAnswer: (_, bodyBytes) => {
      bytes += bodyBytes;
    },
  });
  return Math.floor(bytes / (VALUE_BYTES + 1));
}
