// The Durable Streams reference server as a process of its own, which the edge is compared with; knows no case.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export class Peer implements AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid ?? -1;
    this.#folder = folder;
  }

  static async start(): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    const file = join(import.meta.dirname, 'peer-child.ts');
    const child = spawn(process.execPath, [file, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    let said = '';
    for (;;) {
      // The server says other things too.
      const [part] = (await once(child.stdout, 'data')) as [Buffer];
      said += part.toString();
      const port = /\nport (\d+)\n/.exec(said)?.[1];
      if (port !== undefined) return new Peer(child, Number(port), folder);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
