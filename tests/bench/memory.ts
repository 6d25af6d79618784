// Suite `memory`: bytes of a group and of an open window in the kernel, and growth of the engine while keys come and go; knows no layout.

import process from 'node:process';

import { LimitError } from '../../runtime/base/errors.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import { DOUBLE, STRING } from '../../runtime/data/type.ts';
import { open } from '../../runtime/engine/open.ts';
import { kernelStats } from '../../runtime/kernel/groups.ts';
import { Kernel } from '../../runtime/kernel/instance.ts';
import { ManualClock } from '../../runtime/memory/manual-clock.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { encodedColumn } from './engine-source.ts';
import { BATCH_ROWS, keyBytesOf } from './events.ts';
import { collectGarbage } from './garbage.ts';
import { program, SIZE_MS } from './kernel-subjects.ts';
import type { CaseResult, SuiteResult } from './run.ts';

const GROUPS = 1_000_000;
const WINDOWS = 1000;
const GROUP_BYTES_MAX = 64;
const MEMORY_BYTES = 1024 * 1024 * 1024;
/** A tenth of a byte of each group. */
const STEP_BYTES = 131_072;
/** New keys of each batch, which no other batch has. */
const NEW_KEYS = 1000;
const BATCH_MS = SIZE_MS / 10;
/** Moments of each tenth at which memory is looked at. */
const SAMPLES = 8;
/** Less than that is what collecting garbage itself takes. */
const STEADY_BYTES = 65_536;
/** Growth that counts as none. */
const GROWTH_MAX = 1.1;

const figure = (name: string, subject: string, unit: string, value: number): CaseResult => {
  const rounded = Number(value.toPrecision(4));
  return { case: name, subject, unit, median: rounded, min: rounded, max: rounded };
};

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `key-${(from + i).toString(36)}`);
}

/** Takes so many keys in and, where `withGroups`, makes a group of each; the bytes of memory then. @throws {LimitError} they do not fit */
function filled(withGroups: boolean, memoryBytesMax: number): number {
  const kernel = new Kernel(kernelModule(), program('groups', SIZE_MS), { memoryBytesMax });
  for (let from = 0; from < GROUPS; from += BATCH_ROWS)
    kernel.intern(keyBytesOf(names(from, Math.min(GROUPS, from + BATCH_ROWS))));
  const groups = withGroups ? GROUPS : 0;
  for (let from = 0; from < groups; from += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, groups - from);
    const { refused } = kernel.process({
      length,
      selection: null,
      ids: Uint32Array.from({ length }, (_, i) => from + i),
      rowtime: new Float64Array(length),
      arguments: [{ values: new Float64Array(length).fill(1), validity: null }],
    });
    if (refused !== null) throw new LimitError(refused, 'the groups do not fit');
  }
  return kernelStats(kernel).memoryBytes;
}

/** The least memory that suffices, to STEP_BYTES: what has grown by an eighth at a time tells less. */
function leastBytes(withGroups: boolean): number {
  let fits = filled(withGroups, MEMORY_BYTES);
  let tooLittle = fits / 2;
  while (fits - tooLittle > STEP_BYTES) {
    const tried = Math.ceil((fits + tooLittle) / 2 / STEP_BYTES) * STEP_BYTES;
    if (tried >= fits) break;
    try {
      filled(withGroups, tried);
      fits = tried;
    } catch (thrown) {
      if (!(thrown instanceof LimitError)) throw thrown;
      tooLittle = tried;
    }
  }
  return fits;
}

/** The memory that a group takes, its key known before and not. */
function groupBytes(): { withoutKey: number; withKey: number } {
  const keys = leastBytes(false);
  const groups = leastBytes(true);
  return { withoutKey: (groups - keys) / GROUPS, withKey: groups / GROUPS };
}

/** What an open window of a few groups takes, its groups apart. */
function windowBytes(): number {
  const groupsEach = 8;
  const kernel = new Kernel(kernelModule(), program('groups', SIZE_MS, WINDOWS * SIZE_MS));
  kernel.intern(keyBytesOf(names(0, groupsEach)));
  const before = kernelStats(kernel).memoryBytes;
  for (let window = 0; window < WINDOWS; window += 1)
    kernel.process({
      length: groupsEach,
      selection: null,
      ids: Uint32Array.from({ length: groupsEach }, (_, i) => i),
      rowtime: new Float64Array(groupsEach).fill(window * SIZE_MS),
      arguments: [{ values: new Float64Array(groupsEach), validity: null }],
    });
  const { memoryBytes, panes } = kernelStats(kernel);
  if (panes !== WINDOWS) throw new Error(`${panes} windows`);
  return (memoryBytes - before) / WINDOWS - groupsEach * GROUP_BYTES_MAX;
}

/** Bytes in use after garbage has gone: heap and what is outside it, the kernel's memory too. */
function usedBytes(): number {
  let used = Infinity;
  for (;;) {
    // What is outside the heap goes only after the objects that hold it have gone.
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    if (heapUsed + external > used - STEADY_BYTES) return Math.min(used, heapUsed + external);
    used = heapUsed + external;
  }
}

/**
 * The greatest number of bytes in use at SAMPLES moments of each tenth of so many events through a push query whose keys and windows come and go:
 * what is let go now and then makes one moment as good as another only among several.
 */
async function turning(count: number): Promise<number[]> {
  const clock = new ManualClock(0);
  const engine = await open({ host: memoryHost({ kernel: kernelModule(), clock }) });
  await engine.execute(`CREATE STREAM turning (k STRING KEY, x DOUBLE)
    WITH (KAFKA_TOPIC='turning', PARTITIONS=1, FORMAT='COLUMNAR', RETENTION_MS='180000');`);
  const { schema } = engine.catalog.source('TURNING');
  const rows = await engine.query(
    `SELECT k, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean
     FROM turning WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 2 MINUTES, GRACE PERIOD 0 SECONDS)
     GROUP BY k EMIT CHANGES;`,
    { properties: { 'auto.offset.reset': 'earliest' } },
  );
  const reader = rows.batches();
  const batches = Math.floor(count / BATCH_ROWS);
  const used: number[] = [];
  let seen = 0;
  for (let b = 0; b < batches; b += 1) {
    const keys = Array.from(
      { length: BATCH_ROWS },
      (_, i) => `key-${b * NEW_KEYS + (i % NEW_KEYS)}`,
    );
    const batch: Batch = {
      schema,
      length: BATCH_ROWS,
      selection: null,
      columns: [
        { type: STRING, validity: null, storage: 'dictionary', ...encodedColumn(keys) },
        { type: DOUBLE, validity: null, storage: 'f64', values: new Float64Array(BATCH_ROWS) },
      ],
      valueNull: null,
      keyNull: null,
      rowtime: new Float64Array(BATCH_ROWS).fill(b * BATCH_MS),
      op: null,
      origin: null,
    };
    clock.advance(BATCH_MS);
    await engine.insertBatch('turning', batch);
    while (seen < (b + 1) * BATCH_ROWS) seen += (await reader.next()).value?.length ?? 0;
    const moment = (SAMPLES * 10) / batches;
    if (Math.floor(b * moment) === Math.floor((b + 1) * moment)) continue;
    const tenth = Math.floor((b * 10) / batches);
    used[tenth] = Math.max(used[tenth] ?? 0, usedBytes());
  }
  await rows.close();
  await engine.close();
  return used;
}

/** The kernel's bytes, and the greatest use of memory in any tenth of the events by that in the first. */
export async function memorySuite(full: boolean): Promise<SuiteResult> {
  const count = full ? 100_000_000 : 2_000_000;
  // First, while nothing else has been in use.
  const used = await turning(count);
  const group = groupBytes();
  const first = used[0] ?? NaN;
  const label = `${count} events, turning keys`;
  const tenths = used.map((bytes, i) =>
    figure(label, `greatest use in tenth ${i + 1}`, 'MB', bytes / 1e6),
  );
  const growth = `${label}: greatest/first tenth`;
  const perGroup = 'bytes of a group of five aggregates';
  return {
    suite: 'memory',
    cases: [
      figure(`${GROUPS} groups`, 'a group, its key known', 'B', group.withoutKey),
      figure(`${GROUPS} groups`, 'a group with its key', 'B', group.withKey),
      figure(`${WINDOWS} open windows`, 'a window, less its groups', 'B', windowBytes()),
      ...tenths,
    ],
    ratios: {
      [perGroup]: Number(group.withoutKey.toPrecision(4)),
      [growth]: Number((Math.max(...used) / first).toPrecision(4)),
    },
    aims: [
      { ratio: perGroup, bound: 'at most', value: GROUP_BYTES_MAX },
      { ratio: growth, bound: 'at most', value: GROWTH_MAX },
    ],
  };
}
