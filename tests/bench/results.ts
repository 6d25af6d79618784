// Writes what suites measured into RESULTS.md, a section per suite, and leaves the rest of the file alone; knows no suite.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';

import { isReached, type SuiteResult } from './run.ts';

const FILE = resolve(import.meta.dirname, 'RESULTS.md');
const HEAD = `# What was measured

Ratios of interleaved runs on one machine; absolute figures move with the machine. Commands: \`npm run bench -- SUITE\`.
`;

function tableOf(header: readonly string[], rows: readonly (readonly (string | number)[])[]) {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function machine(): string {
  const cpu = (cpus()[0]?.model ?? 'unknown').trim();
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(', ');
  return `${cpu}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}; load of the machine at the end ${load}.`;
}

function sectionOf({ suite, cases, ratios, aims = [], notes = [] }: SuiteResult, full: boolean) {
  const figures = cases.map(({ case: name, subject, unit, median, min, max }) => [
    name,
    subject,
    median,
    `${min} .. ${max}`,
    unit,
  ]);
  const aimed = aims.map((aim) => {
    const ratio = ratios[aim.ratio];
    const verdict = ratio === undefined ? 'not measured' : isReached(aim, ratio) ? 'yes' : '**no**';
    return [aim.ratio, ratio ?? '', `${aim.bound} ${aim.value}`, verdict];
  });
  const named = new Set(aims.map(({ ratio }) => ratio));
  const others = Object.entries(ratios).filter(([name]) => !named.has(name));
  const parts = [
    `## Run of suite ${suite}${full ? '' : ', small'} (\`npm run bench -- ${suite}${full ? ' --full' : ''}\`)`,
    machine(),
    ...(notes.length === 0 ? [] : [notes.join(' ')]),
    ...(aimed.length === 0 ? [] : [tableOf(['ratio', 'measured', 'aim', 'reached'], aimed)]),
    ...(others.length === 0 ? [] : [tableOf(['ratio', 'measured'], others)]),
    tableOf(['case', 'subject', 'median', 'least .. greatest', 'unit'], figures),
  ];
  return parts.join('\n\n');
}

/** Puts the section of a suite in the place of its last one, or at the end. */
export function writeResults(result: SuiteResult, full: boolean): void {
  const begin = `<!-- suite ${result.suite}: written by the run -->`;
  const end = `<!-- end of suite ${result.suite} -->`;
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const section = `${begin}\n${sectionOf(result, full)}\n${end}`;
  const whole =
    from < 0 || to < from
      ? `${text.trimEnd()}\n\n${section}\n`
      : text.slice(0, from) + section + text.slice(to + end.length);
  writeFileSync(FILE, whole);
}
