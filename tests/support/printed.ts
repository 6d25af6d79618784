// What a process prints, for the error that tells of its end.

import type { ChildProcess } from 'node:child_process';

const LENGTH_MAX = 200_000;

/** @returns what it has printed so far, its last part where that is much */
export function collect(child: ChildProcess): { text: string } {
  const output = { text: '' };
  const add = (part: Buffer): void => {
    output.text = (output.text + part.toString()).slice(-LENGTH_MAX);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return output;
}
