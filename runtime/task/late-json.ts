// The kernel's decoder of JSON in hosts that have it apart from the kernel: fetched once a source has much to read; knows no record.

import { JSON_RECORDS_BEFORE_KERNEL_MAX } from '../base/limits.ts';
import type * as JsonCode from './json-values.ts';
import { logLater } from './log-later.ts';
import { JSON_MODULE, JSON_VALUES } from './parts.ts';

/** Whether the module decodes JSON too. */
export function decodesJson(kernel: WebAssembly.Module): boolean {
  return WebAssembly.Module.exports(kernel).some(({ name }) => name === 'jsonInit');
}

/** What decodes JSON in the kernel. */
export interface JsonInKernel {
  readonly code: typeof JsonCode;
  readonly module: WebAssembly.Module;
}

/** Of one source: nothing waits for the decoder, which gives the same rows as the one that is there. */
export class LateJson {
  #records = 0;

  /**
   * To be asked before records are decoded.
   * @returns null: they are not worth it yet, or it is on its way
   */
  before(records: number): JsonInKernel | null {
    const code = JSON_VALUES.fetched;
    const half = JSON_MODULE.fetched;
    if (code !== null && half !== null) return { code, module: half.module };
    const few = this.#records <= JSON_RECORDS_BEFORE_KERNEL_MAX;
    this.#records += records;
    if (few && this.#records > JSON_RECORDS_BEFORE_KERNEL_MAX) void fetchOnce();
    return null;
  }
}

let fetching: Promise<void> | null = null;

/** Several sources wait for one fetch. A source whose fetch has failed goes on as it was. */
function fetchOnce(): Promise<void> {
  fetching ??= fetchBoth().finally(() => {
    fetching = null;
  });
  return fetching;
}

async function fetchBoth(): Promise<void> {
  try {
    await Promise.all([JSON_VALUES.load(), JSON_MODULE.load()]);
  } catch (thrown) {
    logLater('warn', 'kernel-json', { thrown });
  }
}
