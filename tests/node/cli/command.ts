// Runs the command in a folder of its own, in this process or in one of its own; judges nothing.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { millrace } from '../../../cli/command.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const MAIN = resolve(import.meta.dirname, '../../../cli/main.ts');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A result line as JSON; numbers beyond a double's exactness are read from the text. */
export interface ResultLine {
  readonly source: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly window?: { readonly start: number; readonly end: number };
  readonly value: Readonly<Record<string, unknown>> | null;
  readonly rowtime: number;
}

/** A folder in which commands run; removed by `remove`. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));

  /** The path of a file of that name. */
  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, contents: string | Uint8Array): void {
    writeFileSync(this.path(name), contents);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Runs the command in this process; `@` in an argument stands for the folder, and paths are told without it. */
  async millrace(...args: readonly string[]): Promise<Ended> {
    const stdout: Uint8Array[] = [];
    let stderr = '';
    const terminal = {
      out: async (bytes: Uint8Array) => void stdout.push(bytes.slice()),
      problem: (message: string) => void (stderr += `${message}\n`),
    };
    const given = args.map((arg) => arg.replace('@', `${this.folder}${sep}`));
    const status = await millrace(given, terminal, async () => kernelModule());
    return {
      status,
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: stderr.replaceAll(`${this.folder}${sep}`, ''),
    };
  }

  /** Runs the program to its end, the folder being where it stands. */
  async process(...args: readonly string[]): Promise<Ended> {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: this.folder });
    child.stdin.end();
    const status = new Promise<number | null>((done) => child.on('close', done));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { status: await status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function resultLines({ stdout }: Ended): ResultLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ResultLine);
}
