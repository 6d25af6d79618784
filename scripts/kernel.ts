// Compiles the AssemblyScript kernel to build/, whole and in halves, unless its sources are unchanged; stdout stays empty.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { main } from 'assemblyscript/asc';
import binaryen from 'assemblyscript/binaryen';

const root = resolve(import.meta.dirname, '..');

const AGGREGATES = 'engine-asm/assembly/index.ts';
const JSON_DECODER = 'engine-asm/assembly/json.ts';
const OTHER_FORMATS = 'engine-asm/assembly/delimited.ts';
const OFFSETS = 'engine-asm/assembly/offsets.ts';
const NUMBER_KEYS = 'engine-asm/assembly/number-keys.ts';
const SESSIONS = 'engine-asm/assembly/session-calls.ts';
/** Has no exports: it takes the place of the decoder of one record. */
const TEMPLATES = 'engine-asm/assembly/json-template.ts';
/** What each module exports: pages fetch the halves one by one, every other host has all at once, and formats that pages do without. */
const MODULES = [
  {
    wasm: 'build/kernel.wasm',
    entries: [AGGREGATES, JSON_DECODER, OTHER_FORMATS, OFFSETS, NUMBER_KEYS, SESSIONS, TEMPLATES],
    made: 'fast',
  },
  { wasm: 'build/kernel-aggregates.wasm', entries: [AGGREGATES], made: 'small' },
  // Nobody waits for it: a page has records decoded without it until it is there.
  { wasm: 'build/kernel-json.wasm', entries: [JSON_DECODER, TEMPLATES], made: 'fast' },
].map((module) => ({ ...module, wasm: resolve(root, module.wasm) }));
/** Functions that run seldom. */
const SELDOM = [
  'arena/allocateCleared',
  'arena/release',
  'buffers/take',
  'changes/beginSearch',
  'fold/vectors',
  'json-cells/setNullApart',
  'json-layout/setBound',
  'json-text/escapeOf',
  'results/columnOf',
];
/** Of pages: functions that run seldom, or where a call costs nothing beside what it does: copies of them in their callers only make a page wait. */
const APART = [
  'aggregate/addNulls',
  'arena/orderOf',
  'buffers/addressOf',
  'buffers/outValidity',
  'buffers/outValue',
  'changes/addChange',
  'hashes/hashOf',
  'hashes/tailOf',
  'hops/findHopSlots',
  'probe/probeRows',
  'pane/takeSlot',
  'program/argumentOf',
  'program/nullable',
  'rows/enter',
  'rows/reachWithin',
  'snapshot/isState',
  'window/isClosed',
];
/** Of whole kernels: loops that need all registers, as copies in one function of everything do not get them; and what is asked once a part of a batch. */
const LOOPS = [
  'accept/forgetTouched',
  'dictionary/internKnown<*',
  'fold/fold<*',
  'pane/addMissing',
  'partials/foldPartials',
  'program/functionOf',
  'rows/reachWithin',
  'session-rows/resolveSessions',
  'spans/approach',
  'spans/findSlots',
  'spans/findWindows',
];
/**
 * What engines must have to compile a kernel: fixed-width SIMD is the newest of it (Chrome 91, Firefox 89, Safari 16.4). With all that the
 * optimizer knows, it would write types in groups, as only engines with garbage collection read them (Chrome 119, Firefox 120, Safari 18.2).
 */
const FEATURES =
  binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SIMD128;
const stamp = resolve(root, 'build/kernel.sha256');

/**
 * What the compiler wrote, made fast and then small. The compiler's own passes run once and leave 4 % of the bytes that a second
 * run takes away; and they cannot be told what to leave apart. The bounds of what is copied into its callers are the compiler's.
 * @param isSmall for pages, where bytes count too
 */
function optimized(compiled: Uint8Array, isSmall: boolean): Uint8Array {
  const module = binaryen.readBinary(compiled);
  module.setFeatures(FEATURES);
  binaryen.setAlwaysInlineMaxSize(12);
  binaryen.setFlexibleInlineMaxSize(70);
  // One that a single caller has is no copy. In the whole kernel they all go into it: records laid out alike are decoded 5 to 10 % faster.
  binaryen.setOneCallerInlineMaxSize(isSmall ? 400 : 2000);
  for (const name of [...SELDOM, ...(isSmall ? APART : LOOPS)]) {
    binaryen.setPassArgument('no-inline', `engine-asm/assembly/${name}`);
    module.runPasses(['no-inline']);
  }
  binaryen.setDebugInfo(false);
  binaryen.setOptimizeLevel(3);
  for (const shrinkLevel of isSmall ? [0, 2] : [0, 0]) {
    binaryen.setShrinkLevel(shrinkLevel);
    module.optimize();
  }
  // Those that are called most often have the least numbers.
  if (!isSmall) module.runPasses(['reorder-functions']);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const hash = createHash('sha256');
const sources = globSync('engine-asm/**/*.{ts,json}', { cwd: root }).sort();
for (const path of [...sources, 'scripts/kernel.ts', 'node_modules/assemblyscript/package.json']) {
  hash.update(`${path}\0`).update(readFileSync(resolve(root, path)));
}
const digest = hash.digest('hex');

const isStale = !existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest;
if (isStale || MODULES.some(({ wasm }) => !existsSync(wasm))) {
  mkdirSync(resolve(root, 'build'), { recursive: true });
  for (const { wasm, entries, made } of MODULES) {
    // Written beside and renamed, so that processes that build or load at the same time see whole files only.
    const fresh = `${wasm}.${process.pid}`;
    const target = made === 'fast' ? 'release' : made;
    const options = ['--config', 'engine-asm/asconfig.json', '--target', target];
    const { error } = await main([...entries, ...options, '--outFile', fresh, '--baseDir', root]);
    if (error !== null) throw error;
    writeFileSync(fresh, optimized(readFileSync(fresh), made === 'small'));
    renameSync(fresh, wasm);
  }
  writeFileSync(stamp, digest);
}
