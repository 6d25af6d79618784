// A page in a Chromium of its own, over the protocol of its developer tools alone: Playwright keeps every page in focus, and one in focus is never frozen.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { CHROMIUM_FLAGS } from './chromium.ts';

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
}

/** Hidden while it is frozen, and until it is shown. */
export class LonePage {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #id = 0;
  #session: string | undefined;
  #target = '';

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id ?? -1)?.(answer);
      this.#waiting.delete(answer.id ?? -1);
    });
  }

  static async open(executablePath: string, url: string): Promise<LonePage> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-page-'));
    const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${folder}`];
    const child = spawn(executablePath, [...CHROMIUM_FLAGS, ...flags, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const leave = (): void => void child.kill('SIGKILL');
    process.once('exit', leave);
    child.once('exit', () => process.off('exit', leave));
    let said = '';
    const address = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`Chromium has ended: ${said}`)));
      child.stderr.on('data', (text) => {
        said += String(text);
        const [, at] = /listening on (ws:\S+)/.exec(said) ?? [];
        if (at !== undefined) resolve(at);
      });
    });
    const socket = new WebSocket(address);
    await once(socket as unknown as NodeJS.EventEmitter & EventTarget, 'open');
    const page = new LonePage(child, folder, socket);
    const { targetId } = (await page.send('Target.createTarget', { url: 'about:blank' })) as {
      readonly targetId: string;
    };
    page.#target = targetId;
    const attached = await page.send('Target.attachToTarget', { targetId, flatten: true });
    page.#session = (attached as { readonly sessionId: string }).sessionId;
    await page.send('Network.enable');
    await page.send('Page.navigate', { url });
    return page;
  }

  /** What a call of the protocol answers. */
  async send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#id;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** What a function gives there; it sees nothing of here but its argument. */
  async evaluate<T, A>(call: (given: A) => T | Promise<T>, given: A): Promise<T> {
    const expression = `(${String(call)})(${JSON.stringify(given)})`;
    const options = { awaitPromise: true, returnByValue: true };
    const evaluated = await this.send('Runtime.evaluate', { expression, ...options });
    const { result, exceptionDetails } = evaluated as Evaluated;
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? 'it threw');
    return result.value as T;
  }

  async setOffline(offline: boolean): Promise<void> {
    const conditions = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.send('Network.emulateNetworkConditions', { offline, ...conditions });
  }

  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** It goes on, and is hidden still. */
  async thaw(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'active' });
  }

  async show(): Promise<void> {
    await this.send('Target.activateTarget', { targetId: this.#target });
  }

  async close(): Promise<void> {
    this.#socket.close();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
