// Kills workerd under load (npm run torture): nothing may be lost, doubled or reordered, and two mutants must be caught.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { torture, type TortureReport } from './torture.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run torture -- [--kills 20] [--seed N] [--json FILE]');
  process.exit(2);
}

/** What a mutant must be caught within; both are, nearly always, in the first run. */
const MUTANT_RUNS_MAX = 3;
const MUTANTS = ['no-dedupe', 'late-offsets'];

function say(name: string, report: TortureReport): void {
  const { records, retries, clientRepeats, taskRepeats, failpoints, restartMsMax, drainMs } =
    report;
  console.log(
    `${name}: ${report.kills} kills, ${records} records, ${retries} retries, ${clientRepeats} repeats of clients and ${taskRepeats} of tasks dropped,`,
    `failpoints ${JSON.stringify(failpoints)}, restart at most ${restartMsMax} ms, drained in ${drainMs} ms,`,
    `anomalies ${JSON.stringify(report.anomalies)}`,
  );
  for (const { kind, what } of report.examples) console.log(`  ${kind}: ${what}`);
}

console.log(`SEED=${seed}; again with: npm run torture -- --kills ${kills} --seed ${seed}`);
const faults: string[] = [];
const run = await torture({ entry: 'tests/workers/torture/edge.ts', kills, seed });
say('edge', run);
if (Object.keys(run.anomalies).length > 0) faults.push('the edge has anomalies');
const repeats = run.clientRepeats + run.taskRepeats;
if (repeats === 0) faults.push('void: nothing was ever repeated');

const mutants: { name: string; caught: boolean; runs: TortureReport[] }[] = [];
for (const name of MUTANTS) {
  const runs: TortureReport[] = [];
  let caught = false;
  for (let i = 0; i < MUTANT_RUNS_MAX && !caught; i++) {
    const entry = `tests/workers/torture/${name}.ts`;
    const report = await torture({ entry, kills: Math.max(5, kills >> 1), seed: seed + i + 1 });
    say(`mutant ${name}`, report);
    runs.push(report);
    caught = Object.keys(report.anomalies).length > 0;
  }
  if (!caught) faults.push(`the mutant ${name} was not caught`);
  mutants.push({ name, caught, runs });
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ seed, kills, run, mutants, faults }, null, 2)}\n`);
}
console.log(faults.length === 0 ? 'torture passed' : `torture failed: ${faults.join('; ')}`);
process.exitCode = faults.length === 0 ? 0 : 1;
