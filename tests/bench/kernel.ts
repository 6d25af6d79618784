// Suite `kernel`: tumbling and hopping COUNT, SUM, MIN, MAX, AVG over columns, the kernel against C and JavaScript; knows no SQL.

import { makeEvents, type Events, type Spread } from './events.ts';
import {
  kernelByBytes,
  kernelByIds,
  laterEvents,
  nestedMap,
  SIZE_MS,
  typedArrays,
  type Work,
} from './kernel-subjects.ts';
import { natives, type Native } from './native.ts';
import type { Emission } from './reference-map.ts';
import { type Aim, aimOf, type MeasuredCase, runCase, suiteOf, type SuiteResult } from './run.ts';

const EVENTS = 200_000;
const EVENTS_FULL = 10_000_000;
/** Runs of a few milliseconds: one that others disturb must not be the median. */
const ROUNDS = 9;
const ROUNDS_FULL = 5;
/** Above, a round takes seconds. */
const KEYS_QUICK_MAX = 100_000;

/** Shares of C's speed to reach with changed groups listed: ids given, keys looked up, and either beside the same C as WebAssembly. */
interface Aims {
  readonly ids: number;
  readonly hash: number;
  readonly wasm: number;
}

/** By keys. */
const AIMS: ReadonlyMap<number, Aims> = new Map([
  [100, { ids: 0.5, hash: 0.5, wasm: 0.95 }],
  [10_000, { ids: 0.75, hash: 0.6, wasm: 0.95 }],
  [1_000_000, { ids: 0.4, hash: 0.35, wasm: 0.75 }],
]);
const NO_AIMS: Aims = { ids: 0, hash: 0, wasm: 0 };
/** C that is less ahead of a nested Map at 10,000 keys is no reference. */
const NATIVE_TO_MAP_MIN = 15;

const NAMES: Readonly<Record<Emission, string>> = {
  listed: 'changed groups',
  results: 'changed groups with results',
  rows: 'a row per event, copied out',
};

async function measured(
  spread: Spread,
  work: Work,
  list: readonly Native[],
  rounds: number,
): Promise<MeasuredCase> {
  const { events, emission } = work;
  const keys = events.names.length;
  const name = `${keys} keys, ${spread}, ${NAMES[emission]}`;
  const kernel = kernelByIds(work);
  const interned = kernelByBytes(work);
  const inC = list.map(({ target, subject }) => ({
    target,
    byIds: subject('ids', emission),
    byKeys: subject('keys', emission),
  }));
  const map = nestedMap(work);
  const arrays = typedArrays(work);
  const pair = (a: { subject: string }, b: { subject: string }): [string, string] => [
    a.subject,
    b.subject,
  ];
  const done = await runCase(
    {
      case: name,
      unit: 'M events/s',
      amount: events.count,
      subjects: [
        kernel,
        ...inC.map(({ byIds }) => byIds),
        interned,
        ...inC.map(({ byKeys }) => byKeys),
        arrays,
        map,
      ],
      ratios: [
        ...inC.flatMap(({ byIds, byKeys }) => [pair(kernel, byIds), pair(interned, byKeys)]),
        ...inC.map(({ byIds }) => pair(byIds, map)),
        ...[kernel, interned].flatMap((one) => [pair(one, map), pair(one, arrays)]),
      ],
    },
    rounds,
  );
  const { ids, hash, wasm } = AIMS.get(keys) ?? NO_AIMS;
  const aim = (subjects: [string, string], value: number): Aim => aimOf(name, subjects, value);
  const aimsOf = ({ target, byIds, byKeys }: (typeof inC)[number]): Aim[] =>
    target === 'WebAssembly'
      ? [aim(pair(kernel, byIds), wasm), aim(pair(interned, byKeys), wasm)]
      : [
          aim(pair(kernel, byIds), ids),
          aim(pair(interned, byKeys), hash),
          ...(keys === 10_000 ? [aim(pair(byIds, map), NATIVE_TO_MAP_MIN)] : []),
        ];
  const aims = emission === 'listed' ? inC.flatMap(aimsOf) : [];
  return { done, aims };
}

async function overKeys(keys: number, spread: Spread, full: boolean): Promise<MeasuredCase[]> {
  const count = full ? EVENTS_FULL : EVENTS;
  const events = makeEvents(count, keys, spread);
  const later = laterEvents(events);
  // A million keys are slow to prepare: the default emissions alone.
  const emissions: readonly Emission[] =
    !full || keys > KEYS_QUICK_MAX || spread === 'Zipf'
      ? ['listed', 'rows']
      : ['listed', 'results', 'rows'];
  const programs = natives(later);
  const all: MeasuredCase[] = [];
  try {
    for (const emission of emissions) {
      const work = { events, later, emission, advanceMs: SIZE_MS };
      const most = full ? ROUNDS_FULL : ROUNDS;
      const rounds = keys > KEYS_QUICK_MAX ? most - 2 : most;
      all.push(await measured(spread, work, programs.list, rounds));
    }
  } finally {
    programs.end();
  }
  return all;
}

/** The same in hopping windows, so many to an event: the amount counts rows put out. */
async function hopping(events: Events, later: Events, hops: number): Promise<MeasuredCase> {
  const work: Work = { events, later, emission: 'rows', advanceMs: SIZE_MS / hops };
  const done = await runCase(
    {
      case: `${events.names.length} keys, ${hops} hopping windows, ${NAMES.rows}`,
      unit: 'M rows/s',
      amount: events.count * hops,
      subjects: [kernelByIds(work), nestedMap(work)],
      ratios: [['kernel', 'nested Map']],
    },
    3,
  );
  return { done, aims: [] };
}

/**
 * Copy-in is always within the measured time; making the columns and (but for `keys interned`) the ids is not. The kernel and C know
 * the keys and have memory that was used before.
 */
export async function kernelSuite(full: boolean): Promise<SuiteResult> {
  const all: MeasuredCase[] = [];
  for (const spread of ['uniform', 'Zipf'] as const)
    for (const keys of AIMS.keys()) all.push(...(await overKeys(keys, spread, full)));
  const events = makeEvents(full ? 100_000 : 20_000, 10_000);
  const later = laterEvents(events);
  for (const hops of [6, 60]) all.push(await hopping(events, later, hops));
  return suiteOf('kernel', all, [
    'Both know all keys beforehand, by the same ids, and keep windows that have closed within a run, because nobody takes their changes.',
    'The reference in C is void where it is less than 15 x the nested Map at 10,000 keys.',
  ]);
}
