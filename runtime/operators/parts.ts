// The operators that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Aggregate from './aggregate.ts';
import type * as FlatMap from './flat-map.ts';
import type * as Joins from './joins.ts';
import type * as KernelKeys from './kernel-keys.ts';
import type * as Process from './process.ts';
import type * as Rare from './rare.ts';
import type * as RarerRows from './rarer-rows.ts';
import type * as StoredGroups from './stored-groups.ts';
import type * as Tables from './tables.ts';
import type * as WholeKernel from './whole-kernel.ts';

export const AGGREGATE = new Part<typeof Aggregate>();
export const FLAT_MAP = new Part<typeof FlatMap>();
export const JOINS = new Part<typeof Joins>();
export const KERNEL_KEYS = new Part<typeof KernelKeys>();
export const PROCESS = new Part<typeof Process>();
export const RARE_OPERATORS = new Part<typeof Rare>();
export const RARER_ROWS = new Part<typeof RarerRows>();
export const STORED_GROUPS = new Part<typeof StoredGroups>();
export const TABLES = new Part<typeof Tables>();
/** There only where the kernel is a whole one. */
export const WHOLE_KERNEL = new Part<typeof WholeKernel>();
