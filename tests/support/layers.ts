// Which folder may import which, as a table and its checker; a new line in the table is a design decision. Reads no files.
import type { ImportEdge } from './source-files.ts';

const SHARED = ['base', 'data', 'expr', 'functions', 'formats'];
const SQL = ['sql', 'catalog', 'analyze', 'plan'];
const DATAFLOW = ['ports', 'kernel', 'state', 'operators'];
const STEPS: readonly string[] = ['plan/step.ts', 'plan/join-step.ts'];
const DATAFLOW_HALF = ['kernel', 'state', 'operators', 'task'];
const HOST = [...SHARED, ...SQL, ...DATAFLOW, 'task', 'pool', 'engine', 'sync'];

/** For each folder of runtime/ (and some single files), the folders it may import beside itself. */
const MAY_IMPORT = new Map<string, readonly string[]>([
  ['base', []],
  ['data', SHARED.slice(0, 1)],
  ['expr', SHARED.slice(0, 2)],
  ['functions', SHARED.slice(0, 3)],
  ['formats', SHARED.slice(0, 4)],
  ['ports', ['base', 'data']],
  ['sql', SHARED],
  ['catalog', [...SHARED, 'sql']],
  ['analyze', [...SHARED, 'sql', 'catalog']],
  ['plan', [...SHARED, 'sql', 'catalog', 'analyze']],
  ['kernel', [...SHARED, 'ports']],
  ['state', [...SHARED, 'ports']],
  ['operators', [...SHARED, 'ports', 'kernel', 'state']],
  ['task', [...SHARED, ...DATAFLOW, 'catalog/source.ts']],
  ['pool', [...SHARED, ...DATAFLOW, 'task', 'plan/step.ts']],
  ['engine', [...SHARED, ...SQL, ...DATAFLOW, 'task', 'pool', 'memory']],
  ['sync', ['base', 'data', 'ports']],
  ['memory', ['base', 'data', 'ports']],
  ['sqlite', ['base', 'data', 'ports']],
  ['browser', [...HOST, 'memory']],
  // Of the engine the shapes of its answers alone: a client has none.
  [
    'client',
    ['base', 'data', 'ports', ...['insert', 'query-rows', 'status'].map((of) => `engine/${of}.ts`)],
  ],
  ['outbox', ['base', 'data', 'ports', 'client', 'engine/insert.ts']],
  // Starts Workers that run tasks: each has an engine's functions and parts, and no engine.
  ['threads', [...HOST, 'memory']],
  ['engine/open.ts', [...HOST, 'memory', 'sqlite', 'threads']],
  ['memory/test-driver.ts', HOST],
  ['index.ts', [...HOST, 'memory']],
  ['testing.ts', [...HOST, 'memory']],
]);

/** Outside runtime/: the other roots each may import. */
const ROOTS_MAY_IMPORT = new Map<string, readonly string[]>([
  ['runtime', ['build']],
  ['engine-asm', []],
  ['edge', ['runtime', 'build']],
  ['cli', ['runtime', 'package.json']],
  ['demo', ['runtime', 'examples', 'node_modules']],
  ['scripts', ['tests', 'runtime', 'package.json']],
  ['tests', ['runtime', 'edge', 'cli', 'demo', 'scripts', 'build', 'examples', 'engine-asm']],
]);

/** Folders of runtime/ in which nothing waits, reads a clock or draws a random number. */
export const SYNCHRONOUS_FOLDERS: readonly string[] = [
  ...SHARED,
  ...SQL,
  'kernel',
  'state',
  'operators',
].map((folder) => `runtime/${folder}`);

/** Packages and built-in modules, and the only places that may import them; elsewhere runtime/ imports none. */
const PACKAGES: readonly (readonly [RegExp, RegExp])[] = [
  [/^idb$/, /^(runtime\/(browser|outbox)|demo|tests)\//],
  [/^re2js$/, /^(runtime\/functions|tests)\//],
  [/^(hono|cloudflare:)/, /^(edge|tests)\//],
  [/^node:/, /^(runtime\/(sqlite|threads)|cli|scripts|tests)\//],
  [/./, /^(cli|demo|edge|scripts|tests)\//],
];

/** What is wrong with one import, in a sentence, or null. */
export function layerFault({ from, target, ours, typesOnly }: ImportEdge): string | null {
  const fault = (rule: string): string => `${from} imports ${target}: ${rule}`;
  if (!ours) {
    const rule = PACKAGES.find(([name]) => name.test(target));
    return rule === undefined || rule[1].test(from) ? null : fault('not from this folder');
  }
  const [fromRoot = '', ...fromRest] = from.split('/');
  const [toRoot = '', ...toRest] = target.split('/');
  if (fromRoot !== toRoot) {
    const roots = ROOTS_MAY_IMPORT.get(fromRoot);
    if (roots === undefined) return fault('no layer is given for this folder');
    return roots.includes(toRoot) ? null : fault(`${fromRoot}/ may import ${roots.join(', ')}`);
  }
  if (fromRoot !== 'runtime') return null;
  const fromFile = fromRest.join('/');
  const toFile = toRest.join('/');
  const layer = MAY_IMPORT.has(fromFile) ? fromFile : (fromRest[0] ?? '');
  const allowed = MAY_IMPORT.get(layer);
  if (allowed === undefined) return fault('no layer is given for this folder');
  const to = toRest[0] ?? '';
  if (STEPS.includes(toFile) && DATAFLOW_HALF.includes(layer)) {
    // The plan's types are the one thing that both halves read; its code is for the file that joins them.
    const joins = typesOnly || fromFile === 'task/build.ts';
    return joins ? null : fault('only task/build.ts takes more than types from the plan');
  }
  if (to === fromRest[0] || allowed.includes(to) || allowed.includes(toFile)) return null;
  return fault(`${layer} may import ${allowed.join(', ') || 'nothing'}`);
}

/** The first cycle among imports of values, as the paths along it, or null. */
export function findCycle(edges: readonly ImportEdge[]): string[] | null {
  const next = new Map<string, string[]>();
  for (const { from, target, ours, typesOnly } of edges) {
    if (ours && !typesOnly) next.set(from, [...(next.get(from) ?? []), target]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    path.push(file);
    for (const target of next.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== null) return cycle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const cycle = visit(file);
    if (cycle !== null) return cycle;
  }
  return null;
}
