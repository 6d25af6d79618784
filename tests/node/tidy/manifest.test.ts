// Holds package.json and its lockfile to few dependencies, exact tools, no registry address and every system.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { LONGEST } from '../../support/longest-first.ts';
import { ROOT } from '../../support/source-files.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface LockedPackage {
  readonly version: string;
  readonly resolved?: string | undefined;
  readonly hasInstallScript?: boolean | undefined;
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(resolve(ROOT, path), 'utf8'));
}

const manifest = read<Manifest>('package.json');
const locked = Object.entries(read<Lockfile>('package-lock.json').packages);
const paths = new Set(locked.map(([path]) => path));

// Where a package's dependency lies: in the nearest node_modules above it.
function isLocked(from: string, name: string): boolean {
  const parts = from.split('/node_modules/');
  return (
    parts.some((_, index) =>
      paths.has([...parts.slice(0, parts.length - index), name].join('/node_modules/')),
    ) || paths.has(`node_modules/${name}`)
  );
}

test('at run time there are at most ten dependencies', () => {
  const names = Object.keys(manifest.dependencies);
  expect(names.length).toBeGreaterThan(0);
  expect(names.length).toBeLessThanOrEqual(10);
});

test('every tool has an exact version', () => {
  const tools = Object.entries(manifest.devDependencies);
  expect(tools.length).toBeGreaterThan(10);
  expect(tools.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('a user who installs the package runs no script of ours', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(Object.keys(manifest.scripts).length).toBeGreaterThan(10);
  expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
});

test('packages with install scripts are named, each of them', () => {
  const named = locked
    .filter(([, one]) => one.hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => manifest.allowScripts[name] === undefined)).toEqual([]);
});

test('the lockfile names no registry', () => {
  expect(locked.length).toBeGreaterThan(100);
  expect(locked.filter(([, one]) => one.resolved !== undefined)).toEqual([]);
});

test('the lockfile holds the packages of every system', () => {
  const wanted = locked.flatMap(([path, one]) =>
    Object.keys({ ...one.dependencies, ...one.optionalDependencies }).map(
      (name) => [path, name] as const,
    ),
  );
  expect(wanted.length).toBeGreaterThan(100);
  expect(wanted.filter(([path, name]) => !isLocked(path, name))).toEqual([]);
  expect(isLocked('', 'no-such-package')).toBe(false);
});

test('the test files that begin first are there', () => {
  expect(LONGEST.filter((path) => !existsSync(resolve(ROOT, path)))).toEqual([]);
});
