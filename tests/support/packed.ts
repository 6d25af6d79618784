// Packs millrace as it would be published and installs it into a scratch project, without a network.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { QUIET_WRANGLER } from './quiet-wrangler.ts';
import { ROOT } from './source-files.ts';

/** What a program printed. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** A project with nothing in it but the packed millrace and its run-time dependencies. */
export interface PackedProject {
  readonly folder: string;
  readonly tarball: string;
  /** Paths in the tarball, sorted. */
  readonly files: readonly string[];
  readonly manifest: PackedManifest;
  /** Writes a file of the project and gives its absolute path. */
  write(path: string, text: string): string;
  /** Runs a JavaScript file under this Node, in the project. @throws when it exits with another code than 0 */
  node(script: string, ...rest: string[]): Promise<Printed>;
  remove(): void;
}

/** What the tests read of the published package.json. */
export interface PackedManifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const run = promisify(execFile);

/** Builds dist/, packs it and unpacks it; takes some seconds. @throws when a step of it fails */
export async function packProject(): Promise<PackedProject> {
  const scratch = resolve(ROOT, 'tests/.tmp');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'packed-'));
  const options = { cwd: folder, env: { ...process.env, ...QUIET_WRANGLER }, maxBuffer: 1 << 26 };
  const node = (script: string, ...rest: string[]): Promise<Printed> =>
    run(process.execPath, [script, ...rest], options);

  await node(resolve(ROOT, 'scripts/build.ts'));
  const flags = ['--json', '--ignore-scripts', '--offline', '--pack-destination', folder];
  const packed = await run('npm', ['pack', ...flags], { ...options, cwd: ROOT });
  const [listing] = packList(packed.stdout);
  if (listing === undefined) throw new Error(`npm pack lists no package: ${packed.stdout}`);
  const tarball = join(folder, listing.filename);
  await run('tar', ['-xzf', tarball], options);

  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(folder, 'package'), join(modules, 'millrace'), 'dir');
  const manifest: PackedManifest = JSON.parse(
    readFileSync(join(folder, 'package/package.json'), 'utf8'),
  );
  // Linked beside the unpacked package: whatever it imports and does not declare is not found.
  mkdirSync(join(folder, 'package/node_modules'));
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(
      join(ROOT, 'node_modules', name),
      join(folder, 'package/node_modules', name),
      'dir',
    );
  }
  writeFileSync(join(folder, 'package.json'), '{"type": "module", "private": true}\n');
  return {
    folder,
    tarball,
    files: listing.files.map(({ path }) => path).sort(),
    manifest,
    write(path, text) {
      writeFileSync(join(folder, path), text);
      return join(folder, path);
    },
    node,
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Listing {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

// npm 11 and older print an array of packages, newer ones an object by name.
function packList(json: string): Listing[] {
  const printed: Listing[] | Record<string, Listing> = JSON.parse(json);
  return Object.values(printed);
}
