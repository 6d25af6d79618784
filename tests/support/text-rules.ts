// Rules that a source file's text must keep, each a function from a file to its faults; reads no files.
import type { SourceFile } from './source-files.ts';

/** Lines a source file may have. */
export const LINES_MAX = 400;

const WAITING =
  /\b(async|await|Promise|Date\.now|Math\.random|setTimeout|setInterval|queueMicrotask|performance\.now|randomUUID)\b|new Date\(\)/g;
const RUN_TIME_CODE = /\beval\s*\(|new\s+Function\b|(?<![.\w])Function\s*\(/g;
const UNMARKED_PROMISE = /\bnew Promise\s*[(<]/g;
const UNFINISHED = /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-nocheck/g;
const NOT_RUN =
  /\b(?:test|describe|suite|it)(?:\.\w+)*\.(?:skip|only|todo|fails|skipIf|runIf)\b|\bctx\.skip\(/;

/** Words of waiting, clocks and chance: none may stand in a synchronous folder, comments included. */
export function waitingWords(file: SourceFile): string[] {
  return matches(file, WAITING);
}

/** Code made at run time: Workers refuse it. */
export function runTimeCode(file: SourceFile): string[] {
  return matches(file, RUN_TIME_CODE);
}

/** Promises without the mark by which workerd runs what follows as the request that made them: see edge/guard/in-flight.ts. */
export function unmarkedPromises(file: SourceFile): string[] {
  return matches(file, UNMARKED_PROMISE);
}

/** Marks of unfinished work, and switched-off type checks. */
export function unfinishedMarks(file: SourceFile): string[] {
  return matches(file, UNFINISHED);
}

/** A file opens with one sentence in a `//` comment: what it holds, what it must not know. A `#!` line may precede it. */
export function openingFault({ path, text }: SourceFile): string[] {
  const [first = '', second = ''] = text.split('\n', 2);
  const opening = first.startsWith('#!') ? second : first;
  return /^\/\/ [A-Z0-9`.].{15,}[.?]$/.test(opening) ? [] : [`${path}:1: ${opening}`];
}

/** A file holds at most LINES_MAX lines. */
export function lengthFault({ path, text }: SourceFile): string[] {
  const count = text.replace(/\n$/, '').split('\n').length;
  return count <= LINES_MAX ? [] : [`${path}: ${count} lines`];
}

/** A test that is skipped, or runs alone, has its reason in a comment on the line above or at the end of the line. */
export function unexplainedSkips({ path, text }: SourceFile): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const explained = /\/\/ \S/.test(line) || /^\s*\/\/ \S/.test(lines[index - 1] ?? '');
    return NOT_RUN.test(line) && !explained ? [`${path}:${index + 1}: ${line.trim()}`] : [];
  });
}

function matches({ path, text }: SourceFile, pattern: RegExp): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(pattern)].map(([word]) => `${path}:${index + 1}: ${word}`),
    );
}
