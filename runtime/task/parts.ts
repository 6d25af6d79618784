// The parts of a task that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as JsonValues from './json-values.ts';
import type * as KernelDecoders from './kernel-decoders.ts';
import type * as Outbox from './outbox.ts';
import type * as PseudoColumns from './pseudo-columns.ts';
import type * as Repartition from './repartition.ts';
import type * as Runs from './runs.ts';
import type * as Timers from './timers.ts';
import type * as WrongRecords from './wrong-records.ts';

export const DELIVERY = new Part<typeof Outbox>();
export const JSON_VALUES = new Part<typeof JsonValues>();
/** The kernel's decoder of JSON, in hosts that have it apart from the kernel. */
export const JSON_MODULE = new Part<{ readonly module: WebAssembly.Module }>();
/** There only where the kernel is a whole one. */
export const KERNEL_DECODERS = new Part<typeof KernelDecoders>();
export const RUNS = new Part<typeof Runs>();
export const PSEUDO_COLUMNS = new Part<typeof PseudoColumns>();
export const REPARTITION = new Part<typeof Repartition>();
export const TIMERS = new Part<typeof Timers>();
export const WRONG_RECORDS = new Part<typeof WrongRecords>();
