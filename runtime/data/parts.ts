// The parts of the data layer that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Codec from './codec.ts';
import type * as Dense from './dense.ts';
import type * as JsonText from './json-text.ts';
import type * as Key from './key.ts';
import type * as RareRecords from './rare-records.ts';
import type * as RarerValues from './rarer-values.ts';
import type * as Row from './row.ts';
import type * as ValueBytes from './value-bytes.ts';

export const CODEC = new Part<typeof Codec>();
export const DENSE = new Part<typeof Dense>();
export const JSON_TEXT = new Part<typeof JsonText>();
export const KEY = new Part<typeof Key>();
export const RARE_RECORDS = new Part<typeof RareRecords>();
export const RARER_VALUES = new Part<typeof RarerValues>();
export const ROW = new Part<typeof Row>();
export const VALUE_BYTES = new Part<typeof ValueBytes>();
