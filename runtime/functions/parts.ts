// The parts of functions that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as AggregateBodies from './aggregate-bodies.ts';
import type * as RarerPatterns from './rarer-patterns.ts';
import type * as DatetimeText from './datetime/text.ts';
import type { Overload } from './registry.ts';
import type * as Themes from './themes.ts';

/** The functions of one theme, by their names. */
export interface Theme {
  readonly names: readonly string[];
  readonly part: { readonly code: { readonly overloads: readonly Overload[] } };
}

/** A theme whose overloads are fetched when a statement calls one. */
export interface FetchedTheme extends Theme {
  readonly part: Part<{ readonly overloads: readonly Overload[] }>;
}

/** @param names with a space between them */
export function theme(names: string): FetchedTheme {
  return { names: names.split(' '), part: new Part() };
}

export const AGGREGATE_BODIES = new Part<typeof AggregateBodies>();
export const RARER_PATTERNS = new Part<typeof RarerPatterns>();
export const DATETIME_TEXT = new Part<typeof DatetimeText>();
/** All themes but the common aggregates: even their names are fetched when a statement names a function that is none of these. */
export const THEMES = new Part<typeof Themes>();
