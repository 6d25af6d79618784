// The kernel module as typed calls over one bounded memory: instantiates, checks statuses; knows no batch.

import { assert } from '../base/assert.ts';
import { LimitError, TaskCorrupted } from '../base/errors.ts';
import {
  ABI_VERSION,
  STATUS_BAD_STATE,
  STATUS_DICTIONARY_FULL,
  STATUS_OUT_OF_MEMORY,
} from './abi.ts';

const PAGE_BYTES = 65_536;
/** What the module declares; engine-asm/asconfig.json. */
const INITIAL_PAGES = 2;
const PAGES_MAX = 16_384;

/** The kernel's calls; engine-asm/README.md says what each does. Addresses come as signed numbers: use `>>> 0`. */
export interface KernelExports {
  version(): number;
  buffer(kind: number, index: number): number;
  init(): number;
  reserveKeys(bytes: number): number;
  intern(count: number): number;
  spread(rows: number, count: number): number;
  keyAddress(id: number): number;
  keyLength(id: number): number;
  probe(rows: number, selected: number, from: number): number;
  process(rows: number, selected: number, withNulls: number, from: number): number;
  read(): number;
  collect(): number;
  markAll(): number;
  restore(count: number): number;
  expire(): number;
  getStreamTime(): number;
  advanceStreamTime(ms: number): number;
  stat(kind: number): number;
  jsonVersion(): number;
  jsonBuffer(kind: number, index: number): number;
  jsonInit(): number;
  jsonBegin(count: number): number;
  jsonDecode(count: number): number;
  jsonLearn(bytes: number, column: number, parent: number): number;
  jsonIntern(index: number, bytes: number): number;
  jsonFinish(): number;
  delimitedInit(fields: number, delimiter: number): number;
  delimitedField(index: number, place: number): number;
  kafkaInit(): number;
  offsets(first: number, given: number): number;
  openSessions(
    gap: number,
    grace: number,
    retention: number,
    stored: number,
    forRows: number,
  ): number;
  internNumbers(type: number, rows: number, selected: number): number;
}

/**
 * One instance with its own memory, which never grows beyond `memoryBytesMax` (rounded down to pages of 64 KiB).
 * @param module the kernel, or the half of it that is called
 * @throws {InvariantError} when the module is not the kernel of this ABI
 */
export function instantiate(
  module: WebAssembly.Module,
  memoryBytesMax: number,
): { calls: KernelExports; memory: WebAssembly.Memory } {
  const maximum = Math.floor(memoryBytesMax / PAGE_BYTES);
  assert(maximum >= INITIAL_PAGES && maximum <= PAGES_MAX, 'a kernel has 2 to 16,384 pages');
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const calls = exports as unknown as KernelExports;
  const version = 'version' in exports ? calls.version() : calls.jsonVersion();
  assert(version === ABI_VERSION, 'the kernel is of this ABI');
  return { calls, memory };
}

/** The named limit behind a refusal, or null when the status is no refusal for want of room. */
export function limitOf(status: number): string | null {
  if (status === STATUS_OUT_OF_MEMORY) return 'KERNEL_MEMORY_BYTES_MAX';
  return status === STATUS_DICTIONARY_FULL ? 'DICTIONARY_ENTRIES_MAX' : null;
}

/**
 * Returns the status when the call was carried out.
 * @throws {LimitError} memory or dictionary are full; the instance stays as it was and usable
 * @throws {TaskCorrupted} restored bytes are not a state of this program
 * @throws {InvariantError} the arguments were wrong
 */
export function granted(status: number): number {
  const limit = limitOf(status);
  if (limit !== null) throw new LimitError(limit, `the kernel is at its ${limit}`);
  if (status === STATUS_BAD_STATE) throw new TaskCorrupted('stored bytes are no such state');
  assert(status >= 0, `the kernel's status is ${status}`);
  return status;
}
