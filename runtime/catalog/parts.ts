// The parts of the catalog that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as AllProperties from './all-properties.ts';
import type * as RarerTypes from './rarer-types.ts';
import type * as Words from './words.ts';

export const ALL_PROPERTIES = new Part<typeof AllProperties>();
export const RARER_TYPES = new Part<typeof RarerTypes>();
export const WORDS = new Part<typeof Words>();
