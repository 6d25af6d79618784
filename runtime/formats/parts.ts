// The parts of formats that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Delimited from './delimited.ts';
import type * as JsonValue from './json-value.ts';

export const DELIMITED = new Part<typeof Delimited>();
/** With the values of JSON that are rare. */
export const RARER_FORMATS = new Part<typeof JsonValue>();
