// Tortures the edge (npm run torture): kills, failpoints, silence after bursts; nothing may go wrong, and every mutant must be caught.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { hunt, type MutantReport, MUTANTS } from './mutants.ts';
import { silence } from './silence.ts';
import { torture, type TortureReport } from './torture.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run torture -- [--kills 100] [--seed N] [--json FILE]');
  process.exit(2);
}

/** So many kills are one run over one log: what was sent and seen is kept until it is checked, some 30,000 records a kill. */
const KILLS_A_RUN = 100;
const BULK_PRODUCERS = 4;
const ROUNDS = 40;
const LOST_WAKES = 0.2;
/** Four of five kills wait for so many: with 100 kills they are more than RECORDS_MIN. */
const RECORDS_A_LIFE = 7000;
/** Where there are 100 kills or more, fewer records than these, fewer points, or fewer deaths, prove too little. */
const RECORDS_MIN = 500_000;
const POINTS_MIN = 25;
const DEATHS_MIN = 500;

console.log(`SEED=${seed}; again with: npm run torture -- --kills ${kills} --seed ${seed}`);
const faults: string[] = [];

const runs: TortureReport[] = [];
for (let left = kills; left > 0; left -= KILLS_A_RUN) {
  const options = { mutant: null, bulk: BULK_PRODUCERS, recordsALife: RECORDS_A_LIFE };
  const now = Math.min(left, KILLS_A_RUN);
  const run = await torture({ ...options, kills: now, seed: seed + runs.length });
  runs.push(run);
  console.log(
    `load: ${run.kills} kills, restart at most ${run.restartMsMax} ms; ${run.records} records acknowledged in ${run.batches} batches, ${run.retries} retries,`,
    `repeats dropped: ${run.clientRepeats} of clients, ${run.taskRepeats} of tasks; ${run.forged} forged batches refused, ${run.polls} polls, ${run.pulls} pulls;`,
    `drained in ${run.drainMs} ms; anomalies ${JSON.stringify(run.anomalies)}`,
  );
  for (const { kind, what } of run.examples) console.log(`  ${kind}: ${what}`);
  if (Object.keys(run.anomalies).length > 0) faults.push('the edge has anomalies under load');
  if (run.clientRepeats === 0 || run.taskRepeats === 0) faults.push('void: nothing was repeated');
}
const records = runs.reduce((sum, run) => sum + run.records, 0);
const failpoints = new Map<string, number>();
for (const [point, count] of runs.flatMap((run) => Object.entries(run.failpoints)))
  failpoints.set(point, (failpoints.get(point) ?? 0) + count);
const deaths = [...failpoints.values()].reduce((sum, count) => sum + count, 0);
const points = failpoints.size;
console.log(`${kills} kills, ${deaths} deaths at ${points} points, ${records} records`);
for (const [point, count] of [...failpoints].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`  ${count} × ${point}`);
if (kills >= 100 && records < RECORDS_MIN) faults.push(`void: ${records} records only`);
if (kills >= 100 && points < POINTS_MIN) faults.push(`void: objects died at ${points} points only`);
if (kills >= 100 && deaths < DEATHS_MIN) faults.push(`void: objects died ${deaths} times only`);

const silent = await silence({ mutant: null, rounds: ROUNDS, lost: LOST_WAKES });
console.log(
  `silence: ${silent.rounds} bursts, ${silent.kills} kills, a burst came out within ${silent.drainMsMax} ms; anomalies ${JSON.stringify(silent.anomalies)}`,
);
if (Object.keys(silent.anomalies).length > 0) faults.push('the edge is stuck in silence');

const mutants: MutantReport[] = [];
for (const [i, mutant] of MUTANTS.entries()) {
  const report = await hunt(mutant, seed + 1_000 * (i + 1));
  mutants.push(report);
  const found = JSON.stringify(report.runs.at(-1)?.anomalies);
  console.log(`mutant ${mutant}: ${report.isCaught ? 'caught' : 'NOT CAUGHT'} ${found}`);
  if (!report.isCaught) faults.push(`the mutant ${mutant} was not caught`);
}
if (values.json !== undefined) {
  const report = { seed, kills, runs, silent, mutants, faults };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
console.log(faults.length === 0 ? 'torture passed' : `torture failed: ${faults.join('; ')}`);
process.exitCode = faults.length === 0 ? 0 : 1;
