// The package as published: what the tarball holds, and that every sub-path works from it where it is meant to run.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from 'vite';
import { packProject } from '../../support/packed.ts';
import type { PackedProject } from '../../support/packed.ts';
import { ROOT } from '../../support/source-files.ts';
import { Workerd } from '../../support/workerd.ts';

let project: PackedProject;

beforeAll(async () => {
  project = await packProject();
});

afterAll(() => project.remove());

test('the package exports its seven entries and its manifest', () => {
  expect(Object.keys(project.manifest.exports)).toEqual([
    '.',
    './browser',
    './client',
    './outbox',
    './worker',
    './edge',
    './testing',
    './kernel.wasm',
    './package.json',
  ]);
});

/** What users test with is part of the product: `millrace/testing` and the command `test`. */
const PRODUCT_FOR_TESTS =
  /^dist\/(runtime\/(testing|memory\/test-driver)|cli\/(test|test-session|sql-tests))\.(js|d\.ts)$/;

test('the tarball holds built files, licence and documents, and nothing of the workshop', () => {
  expect(project.files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'PROTOCOL.md', 'package.json']),
  );
  const built = project.files.filter((path) => path.startsWith('dist/'));
  expect(built.length).toBeGreaterThan(20);
  expect(built.filter((path) => !/^dist\/(runtime|edge|cli|build)\//.test(path))).toEqual([]);
  expect(built.filter((path) => !/\.(js|d\.ts|wasm)$/.test(path))).toEqual([]);
  expect(project.files.filter((path) => /\btest|node_modules|\.tmp/.test(path))).toEqual([
    ...built.filter((path) => PRODUCT_FOR_TESTS.test(path)),
    'docs/testing.md',
  ]);
});

// It asks for itself by an address that no bundler can follow: a comment in the right place says so.
test("the Worker's script tells bundlers which import to leave alone", () => {
  const path = join(project.folder, 'package/dist/runtime/browser/worker.js');
  const script = readFileSync(path, 'utf8');
  expect(script).toContain('import(/* @vite-ignore */ /* webpackIgnore: true */ href)');
  expect(script).not.toContain('__rewriteRelativeImportExtension');
});

test('publint finds nothing wrong', async () => {
  const bytes = readFileSync(project.tarball);
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  expect(pkg['name']).toBe('millrace');
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('its types resolve as ECMAScript modules', async () => {
  const attw = resolve(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const flags = ['--profile', 'esm-only', '--exclude-entrypoints', './kernel.wasm'];
  // It exits with 1 where it finds a problem; the names show that it looked.
  const { stdout } = await project.node(attw, project.tarball, ...flags, '--no-color');
  for (const name of ['', '/browser', '/client', '/outbox', '/worker', '/edge'].map(
    (of) => `"millrace${of}"`,
  )) {
    expect(stdout).toContain(name);
  }
});

// As strictly as can be, and as a page does, which has no types of Node's.
test('a consumer that checks its types sees every sub-path, and the guides show what compiles', async () => {
  const names = ['', '/browser', '/client', '/outbox', '/worker', '/testing'].map(
    (of) => `millrace${of}`,
  );
  const imports = names.map((name, index) => `import * as m${index} from '${name}';`);
  project.write('consumer.ts', `${imports.join('\n')}\nexport default [m0, m1, m2, m3, m4, m5];\n`);
  const guides = ['README.md', 'docs/pages.md', 'docs/offline.md', 'docs/client.md'].map((path) =>
    readFileSync(resolve(ROOT, path), 'utf8'),
  );
  const snippets = guides.flatMap((text) => [...text.matchAll(/^```ts\n(.*?)^```/gms)]);
  expect(snippets.length).toBeGreaterThanOrEqual(6);
  const files = snippets.map(([, code = ''], index) => {
    project.write(`snippet-${index}.ts`, `${code}\nexport {};\n`);
    return `snippet-${index}.ts`;
  });
  const checks = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, types: [] };
  const lib = ['esnext', 'dom', 'dom.iterable', 'dom.asynciterable'];
  const compilerOptions = { module: 'nodenext', target: 'esnext', lib, ...checks };
  const config = { compilerOptions, files: ['consumer.ts', ...files] };
  project.write('tsconfig.json', JSON.stringify(config));
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await project.node(tsc, '-p', '.', '--listFiles');
  expect(stdout).toContain('package/dist/runtime/testing.d.ts');
});

// Templates have no newer library than that, and a program of Node's no types of a page's.
test.each([
  ['a page', ['es2022', 'dom'], [], ['millrace', 'millrace/browser', 'millrace/client']],
  ['Node', ['es2022'], ['node'], ['millrace', 'millrace/client', 'millrace/testing']],
])('the types of %s need no more than those of the language', async (_, lib, types, names) => {
  const imports = names.map((name, index) => `import * as m${index} from '${name}';`);
  const use = 'await using _ = await m0.open();\nexport default [m0, m1, m2];\n';
  project.write('plain.ts', `${imports.join('\n')}\n${use}`);
  const strictly = { strict: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true };
  const target = { module: 'nodenext', target: 'es2022', lib, types, noEmit: true };
  const compilerOptions = { ...target, ...strictly };
  project.write('plain.json', JSON.stringify({ compilerOptions, files: ['plain.ts'] }));
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await project.node(tsc, '-p', 'plain.json', '--listFiles');
  expect(stdout).toContain('package/dist/runtime/index.d.ts');
});

test('what the guide to testing shows holds', async () => {
  const guide = readFileSync(resolve(ROOT, 'docs/testing.md'), 'utf8');
  const snippets = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(snippets).toHaveLength(2);
  const ended = "console.log('all of it');";
  const script = project.write('testing.mts', [...snippets, ended].join('\n'));
  expect((await project.node(script)).stdout).toBe('all of it\n');
});

test.each(['millrace', 'millrace/client', 'millrace/outbox', 'millrace/testing'])(
  'Node imports %s',
  async (name) => {
    const script = project.write(
      'import.mjs',
      `console.log(JSON.stringify(Object.keys(await import('${name}'))));`,
    );
    const names: unknown = JSON.parse((await project.node(script)).stdout);
    expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/^[A-Za-z]/)]));
  },
);

test('Node resolves the kernel and compiles it', async () => {
  const script = project.write(
    'kernel.mjs',
    `import { readFile } from 'node:fs/promises';
     const module = await WebAssembly.compile(await readFile(new URL(import.meta.resolve('millrace/kernel.wasm'))));
     console.log(WebAssembly.Module.exports(module).length);`,
  );
  expect(Number((await project.node(script)).stdout)).toBeGreaterThan(0);
});

test('Node keeps what it is told in a database file, with the kernel of the package', async () => {
  const script = project.write(
    'file.mjs',
    `import { open } from 'millrace';
     await using engine = await open({ storage: { file: 'kept.db' } });
     if (!engine.catalog.sources.has('S')) {
       await engine.execute(\`CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');
         CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\`);
     }
     await engine.insert('s', { k: 'a', n: 1 });
     await engine.idle();
     const [row] = await Array.fromAsync(await engine.query("SELECT n FROM t WHERE k = 'a';"));
     const [{ queryDescription }] = await engine.execute('EXPLAIN CTAS_T_1;');
     console.log(row.N, queryDescription.executionPlan.includes('[kernel]'));`,
  );
  for (const told of ['1 true', '2 true']) {
    expect((await project.node(script)).stdout.trim()).toBe(told);
  }
});

// Pages load the kernel in halves.
test.each([
  ['millrace', ['kernel']],
  ['millrace/browser', ['kernel-aggregates', 'kernel-json']],
  ['millrace/worker', ['kernel-aggregates', 'kernel-json']],
])('Vite bundles %s', async (name, kernels) => {
  const entry = project.write('entry.mjs', `import * as m from '${name}';\nglobalThis.m = m;\n`);
  const output = await build({
    root: project.folder,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { write: false, assetsInlineLimit: 0, rolldownOptions: { input: entry } },
  });
  const files = [output].flat().flatMap((one) => ('output' in one ? one.output : []));
  const names = files.map(({ fileName }) => fileName);
  expect(names.filter((one) => one.endsWith('.js')).length).toBeGreaterThan(0);
  const modules = names.filter((one) => one.endsWith('.wasm')).toSorted();
  expect(modules.map((one) => /^assets\/(.*)-.{8}\.wasm$/.exec(one)?.[1])).toEqual(kernels);
  // Node's own modules are asked for where they are, and never imported.
  const scripts = files.flatMap((one) => (one.type === 'chunk' ? [one.code] : []));
  expect(
    scripts.filter((code) => /\bimport\s*\(?[^)]*['"]node:|browser-external/.test(code)),
  ).toEqual([]);
});

// As a Worker of a page's own does that registers nothing, or registers it later.
test('a bare import of millrace/worker is not dropped', async () => {
  const output = await build({
    root: project.folder,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      rolldownOptions: { input: project.write('bare.mjs', "import 'millrace/worker';\n") },
    },
  });
  const files = [output].flat().flatMap((one) => ('output' in one ? one.output : []));
  const scripts = files.flatMap((one) => (one.type === 'chunk' ? [one.code] : []));
  expect(scripts.some((code) => code.includes('navigator.locks'))).toBe(true);
});

test('a project of its own checks its types, is bundled, served, migrated, written and asked', async () => {
  const app = join(project.folder, 'app');
  cpSync(resolve(ROOT, 'examples/edge-app'), app, { recursive: true });
  const wrangler = resolve(ROOT, 'node_modules/wrangler/bin/wrangler.js');
  const config = ['--cwd', app, '--config', join(app, 'wrangler.jsonc')];
  const types = await project.node(wrangler, 'types', ...config);
  expect(types.stdout).not.toMatch(/warn|error/i);
  const declared = readFileSync(join(app, 'worker-configuration.d.ts'), 'utf8');
  for (const name of ['PARTITION', 'PROCESSOR', 'CATALOG']) expect(declared).toContain(name);
  const [, composed = ''] =
    /^```ts\n(.*?)^```/ms.exec(readFileSync(join(app, 'README.md'), 'utf8')) ?? [];
  expect(composed).toContain('edge.fetch(');
  writeFileSync(join(app, 'src/composed.ts'), composed);
  const guide = readFileSync(resolve(ROOT, 'docs/edge.md'), 'utf8');
  const [, guarded = ''] = /^```ts\n(.*?)^```/ms.exec(guide) ?? [];
  expect(guarded).toContain('auth: async');
  writeFileSync(join(app, 'src/guarded.ts'), guarded);
  await project.node(resolve(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app);
  const deploy = ['deploy', '--dry-run', '--outdir', join(app, 'bundle'), ...config];
  expect((await project.node(wrangler, ...deploy)).stdout).toContain('--dry-run: exiting now');
  const edge = await Workerd.startBundle(join(app, 'bundle'));
  try {
    const bin = join(project.folder, 'package', project.manifest.bin['millrace'] ?? '');
    const migrate = ['migrate', '--url', edge.url, join(app, 'migrations')];
    expect((await project.node(bin, ...migrate)).stdout).toBe('V000001__spent.sql applied\n');
    const script = project.write(
      'use-edge.mjs',
      `import { connect } from 'millrace/client';
       const edge = connect({ url: '${edge.url}' });
       await using producer = edge.producer();
       for (const [i, cents] of [1250, 5].entries())
         await producer.send('orders', { key: 'o-' + i, value: JSON.stringify({ CUSTOMER: 'ann', CENTS: cents }) });
       for (;;) {
         const [row] = await (await edge.query("SELECT * FROM spent WHERE customer = 'ann';")).all();
         if (row?.ORDERS === 2) { console.log(row.EUROS); break; }
       }`,
    );
    expect((await project.node(script)).stdout).toBe('12.55\n');
  } finally {
    await edge.stop();
  }
});

test('the command says how it is used', async () => {
  const bin = join(project.folder, 'package', project.manifest.bin['millrace'] ?? '');
  expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect((await project.node(bin, '--help')).stdout).toContain('millrace run');
});
