// The parts of formats that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Delimited from './delimited.ts';
import type * as JsonValue from './json-value.ts';
import type * as RarerFormats from './rarer-formats.ts';

export const DELIMITED = new Part<typeof Delimited>();
export const JSON_VALUE = new Part<typeof JsonValue>();
export const RARER_FORMATS = new Part<typeof RarerFormats>();
