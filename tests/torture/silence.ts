// Bursts and then silence: nobody asks for anything, processors die over their calls, and what was acknowledged must come out at the other end all the same.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '../support/edge-client.ts';
import { Workerd } from '../support/workerd.ts';
import { askedAgain, posting } from './asking.ts';
import { ENTRY } from './torture.ts';

export interface SilenceOptions {
  /** The fault to be found; null: the edge as it is. */
  readonly mutant: string | null;
  readonly rounds: number;
  /** Share of wake-ups that are lost. */
  readonly lost: number;
  /** How likely a processor dies, 0 .. 1, at a point where many have; a few in a thousand unless it is said. */
  readonly deaths?: number;
  /** One burst in so many is followed by a kill. */
  readonly killEvery?: number;
}

export interface SilenceReport {
  readonly mutant: string | null;
  readonly rounds: number;
  readonly records: number;
  readonly kills: number;
  /** The longest that a burst took to come out, in ms. */
  readonly drainMsMax: number;
  readonly anomalies: Readonly<Record<string, number>>;
}

const RECORDS = 40;
/**
 * A lost wake-up is repeated after one second, then each two; an alarm whose processor dies under it after two, then four.
 * Over two hops, and after a kill, this is far more than it takes.
 */
const DRAIN_MS_MAX = 30_000;
/** A mutant that has lost its alarm is never woken again: it is found sooner. */
const MUTANT_DRAIN_MS_MAX = 12_000;
const KILL_EVERY = 4;

/** Sends bursts through a repartition and looks, without a request, at the files of the objects. */
export async function silence({
  mutant,
  rounds,
  lost,
  deaths,
  killEvery = KILL_EVERY,
}: SilenceOptions): Promise<SilenceReport> {
  // Processors die: what they were told and have not done is theirs to find again.
  const faults = {
    LOST_WAKES: String(lost),
    FAILPOINTS: 'Processor calls,Processor/after',
    ...(deaths === undefined ? {} : { FAILPOINT_PROBABILITY: String(deaths) }),
  };
  const vars = { ...faults, ...(mutant === null ? {} : { MUTANT: mutant }) };
  await using edge = await Workerd.start(ENTRY, vars);
  const ksql = `CREATE STREAM IF NOT EXISTS s (k STRING KEY, g STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE IF NOT EXISTS t AS SELECT g, COUNT(*) AS n FROM s GROUP BY g;`;
  const properties = { 'millrace.fuse': 'never' };
  const creating = posting({ ksql, streamsProperties: properties });
  const created = await askedAgain(edge, '/ksql', creating);
  if (created.status !== 200) throw new Error(await created.text());
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    key: `${i}`,
    value: { G: `${i % 3}` },
  }));
  const producer = { 'Producer-Id': `${Date.now()}.bursts`, 'Producer-Epoch': '0' };
  const drainMsMax = mutant === null ? DRAIN_MS_MAX : MUTANT_DRAIN_MS_MAX;
  const report = { mutant, rounds: 0, records: 0, kills: 0, drainMsMax: 0 };
  while (report.rounds < rounds) {
    report.rounds += 1;
    // Stamped, so that a burst whose answer is lost can be sent again.
    const burst = posting({ records }, { ...producer, 'Producer-Seq': String(report.records) });
    const answer = await askedAgain(edge, '/topics/s/records', burst);
    if (answer.status !== 200) throw new Error(await answer.text());
    report.records += RECORDS;
    if (report.rounds % killEvery === 0) {
      await edge.kill();
      await edge.restart();
      report.kills += 1;
    }
    const from = performance.now();
    try {
      await until(async () => highWatermark(edge, 'T') === report.records, drainMsMax);
    } catch {
      // Not in time: that is what this looks for.
      const waited = Math.round(performance.now() - from);
      return { ...report, drainMsMax: waited, anomalies: { stuck: 1 } };
    }
    report.drainMsMax = Math.max(report.drainMsMax, Math.round(performance.now() - from));
  }
  return { ...report, anomalies: {} };
}

/** High watermark of a topic's only partition, read from its object's file: no request wakes anything. -1: no such file. */
function highWatermark(edge: Workerd, topic: string): number {
  const folder = join(edge.folder, 'millrace-Partition');
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (!/^[0-9a-f]{64}\.sqlite$/.test(file)) continue;
    const database = new DatabaseSync(join(folder, file), { readOnly: true, timeout: 5_000 });
    try {
      const meta = database.prepare('SELECT topic, next FROM meta').get();
      if (meta?.['topic'] === topic) return Number(meta['next']);
    } finally {
      database.close();
    }
  }
  return -1;
}
