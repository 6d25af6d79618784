// Plain workerd for tests: serves the edge on loopback with its objects on disk, kills and restarts it.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { bundleEdge, temporary } from './edge-bundle.ts';
import { ownName } from './left-folders.ts';
import { collect } from './printed.ts';
import { COMES_MS } from './waits.ts';

const root = resolve(import.meta.dirname, '../..');
/** The binary itself, not the script before it: a signal must reach the process that holds the objects. */
const { default: workerdPath } = createRequire(import.meta.url)('workerd') as { default: string };

/** The classes of objects and their bindings, as edge/wrangler.jsonc has them. */
const CLASSES = [
  ['PARTITION', 'Partition'],
  ['PROCESSOR', 'Processor'],
  ['RELAY', 'Relay'],
  ['CATALOG', 'Catalog'],
] as const;

/** workerd's configuration: the bundle, its objects with SQLite on a disk given at start, `vars` as text bindings, one socket on loopback. */
function configOf(bundle: string, vars: Readonly<Record<string, string>>): string {
  const wrangler = readFileSync(join(root, 'edge/wrangler.jsonc'), 'utf8');
  const compatibilityDate = /"compatibility_date": "([\d-]+)"/.exec(wrangler)?.[1];
  const compatibilityFlags = /"compatibility_flags": (\[[^\]]*\])/.exec(wrangler)?.[1] ?? '[]';
  const modules = readdirSync(bundle)
    .filter((file) => /\.(js|wasm)$/.test(file))
    .sort((a, b) => Number(b.endsWith('.js')) - Number(a.endsWith('.js')))
    .map((file) => {
      const kind = file.endsWith('.wasm') ? 'wasm' : 'esModule';
      return `(name = "${file}", ${kind} = embed "${relative(temporary, bundle)}/${file}")`;
    });
  const namespaces = CLASSES.map(
    ([, className]) =>
      `(className = "${className}", uniqueKey = "millrace-${className}", enableSql = true)`,
  );
  const bindings = [
    ...CLASSES.map(
      ([binding, className]) => `(name = "${binding}", durableObjectNamespace = "${className}")`,
    ),
    ...Object.entries(vars).map(([name, text]) => `(name = "${name}", text = "${text}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .edge),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const edge :Workerd.Worker = (
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ${compatibilityFlags},
  modules = [${modules.join(', ')}],
  durableObjectNamespaces = [${namespaces.join(', ')}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${bindings.join(', ')}],
);
`;
}

/** A running workerd with its data. */
export class Workerd {
  /** Where the objects keep their SQLite files. */
  readonly folder: string;
  readonly #config: string;
  readonly #vars: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #url = '';
  #inspectorPort = 0;
  #output = { text: '' };

  private constructor(config: string, folder: string, vars: Readonly<Record<string, string>>) {
    this.#config = config;
    this.#vars = vars;
    this.folder = folder;
  }

  /** Bundles `entry` and starts it on empty storage, with `vars` in its environment. */
  static async start(
    entry?: string,
    vars: Readonly<Record<string, string>> = {},
  ): Promise<Workerd> {
    return Workerd.startBundle(await bundleEdge(entry), vars);
  }

  /** Starts what wrangler has bundled into a folder. */
  static async startBundle(
    bundle: string,
    vars: Readonly<Record<string, string>> = {},
  ): Promise<Workerd> {
    const folder = join(temporary, ownName(randomUUID()));
    mkdirSync(folder, { recursive: true });
    const config = `${folder}.capnp`;
    writeFileSync(config, configOf(bundle, vars));
    const workerd = new Workerd(config, folder, vars);
    await workerd.restart();
    return workerd;
  }

  /** `http://127.0.0.1:port`; another after each restart. */
  get url(): string {
    return this.#url;
  }

  /** Port of its inspector, which speaks the protocol of V8's tools; 0 where none was asked for. */
  get inspectorPort(): number {
    return this.#inspectorPort;
  }

  /** Its process; another after each restart. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** What workerd has written on its standard outputs since the last start. */
  get output(): string {
    return this.#output.text;
  }

  /** Starts it again on the same storage, after `kill`. */
  async restart({ inspector = false } = {}): Promise<void> {
    const child = spawn(
      workerdPath,
      [
        'serve',
        this.#config,
        '--experimental',
        '--control-fd=3',
        `--directory-path=disk=${this.folder}`,
        ...(inspector ? ['--inspector-addr=127.0.0.1:0'] : []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    this.#child = child;
    this.#output = collect(child);
    const leave = (): void => void child.kill('SIGKILL');
    process.once('exit', leave);
    child.once('exit', () => process.off('exit', leave));
    const ports = await listening(child, this.#output, inspector);
    this.#url = `http://127.0.0.1:${ports.http}`;
    this.#inspectorPort = ports.inspector;
  }

  /** Starts another version of the code on the same storage, after `kill`. */
  async upgrade(entry: string): Promise<void> {
    writeFileSync(this.#config, configOf(await bundleEdge(entry), this.#vars));
    await this.restart();
  }

  /** SIGKILL, as a crash would, or another signal; resolves when the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Ends it and throws its data away. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#config, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The ports that workerd says on its control pipe. */
async function listening(
  child: ChildProcess,
  output: { text: string },
  inspector: boolean,
): Promise<{ readonly http: number; readonly inspector: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ http: number; inspector: number }>();
  const fail = (why: string): void => reject(new Error(`workerd ${why}:\n${output.text}`));
  const timer = setTimeout(() => fail('did not start in time'), COMES_MS);
  let said = '';
  (child.stdio[3] as Readable).on('data', (part: Buffer) => {
    said += part.toString();
    const http = Number(/"event":"listen".*?"port":(\d+)/.exec(said)?.[1] ?? 0);
    const inspected = Number(/"event":"listen-inspector".*?"port":(\d+)/.exec(said)?.[1] ?? 0);
    if (http > 0 && (inspected > 0 || !inspector)) resolve({ http, inspector: inspected });
  });
  child.once('exit', (code) => fail(`ended with code ${code}`));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
