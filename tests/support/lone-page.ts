// Pages in a Chromium of their own, over the protocol of its developer tools alone: Playwright keeps every page in focus, and one in focus is never frozen.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { CHROMIUM_FLAGS } from './chromium.ts';

interface Answer {
  readonly id?: number;
  /** Of an event, which answers nothing. */
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface History {
  readonly currentIndex: number;
  readonly entries: readonly { readonly id: number }[];
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
}

/** A Chromium and its developer tools. */
class Tools {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  /** What pages call by name. */
  readonly #exposed = new Map<string, (text: string) => void>();
  #id = 0;

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id ?? -1)?.(answer);
      this.#waiting.delete(answer.id ?? -1);
      if (answer.method !== 'Runtime.bindingCalled') return;
      const { name, payload } = answer.params as {
        readonly name: string;
        readonly payload: string;
      };
      this.#exposed.get(name)?.(payload);
    });
  }

  static async start(executablePath: string): Promise<Tools> {
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
    return new Tools(child, folder, socket);
  }

  async send(method: string, params: object, sessionId?: string): Promise<unknown> {
    const id = ++this.#id;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  expose(name: string, call: (text: string) => void): void {
    this.#exposed.set(name, call);
  }

  async stop(): Promise<void> {
    this.#socket.close();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Hidden while it is frozen, and until it is shown. */
export class LonePage {
  readonly #tools: Tools;
  readonly #target: string;
  readonly #session: string;

  private constructor(tools: Tools, target: string, session: string) {
    this.#tools = tools;
    this.#target = target;
    this.#session = session;
  }

  static async open(executablePath: string, url: string): Promise<LonePage> {
    return await LonePage.#in(await Tools.start(executablePath), url);
  }

  static async #in(tools: Tools, url: string): Promise<LonePage> {
    const { targetId } = (await tools.send('Target.createTarget', { url: 'about:blank' })) as {
      readonly targetId: string;
    };
    const attached = await tools.send('Target.attachToTarget', { targetId, flatten: true });
    const { sessionId } = attached as { readonly sessionId: string };
    const page = new LonePage(tools, targetId, sessionId);
    await page.send('Network.enable');
    await page.send('Page.enable');
    await page.goTo(url);
    return page;
  }

  /** Another tab of the same Chromium, in front of this one. */
  async beside(url: string): Promise<LonePage> {
    return await LonePage.#in(this.#tools, url);
  }

  /** What a call of the protocol answers. */
  async send(method: string, params: object = {}): Promise<unknown> {
    return await this.#tools.send(method, params, this.#session);
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

  /** A function of this name calls here, with a text; it has been called when it returns, and answers nothing. */
  async expose(name: string, call: (text: string) => void): Promise<void> {
    this.#tools.expose(name, call);
    await this.send('Runtime.enable');
    await this.send('Runtime.addBinding', { name });
  }

  /** The page before may be kept for `goBack`. */
  async goTo(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
  }

  async goBack(): Promise<void> {
    const history = (await this.send('Page.getNavigationHistory')) as History;
    const entryId = history.entries[history.currentIndex - 1]?.id;
    await this.send('Page.navigateToHistoryEntry', { entryId });
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

  /** Closes the tab alone. */
  async leave(): Promise<void> {
    await this.send('Target.closeTarget', { targetId: this.#target });
  }

  /** Ends the process of the tab, without a word to anyone, and closes it. */
  async crash(): Promise<void> {
    // Nobody is left to answer.
    this.send('Page.crash').catch(() => undefined);
    await this.leave();
  }

  /** Ends its Chromium, with all that are beside it. */
  async close(): Promise<void> {
    await this.#tools.stop();
  }
}
