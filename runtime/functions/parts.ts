// The functions of the main job, and the parts with all others, which are fetched on first use; knows only names and types.

import { Part } from '../base/part.ts';
import type * as AggregateBodies from './aggregate-bodies.ts';
import type * as DatetimeText from './datetime/text.ts';
import type { Overload } from './registry.ts';
import type * as Themes from './themes.ts';

/** The functions of one theme, by their names; their overloads are fetched when a statement calls one. */
export interface Theme {
  readonly names: readonly string[];
  readonly part: Part<{ readonly overloads: readonly Overload[] }>;
}

/** @param names with a space between them */
export function theme(name: string, names: string): Theme {
  return { names: names.split(' '), part: new Part(name) };
}

export const AGGREGATES = theme('aggregates', 'COUNT SUM AVG MIN MAX');
export const AGGREGATE_BODIES = new Part<typeof AggregateBodies>('aggregate functions');
export const DATETIME_TEXT = new Part<typeof DatetimeText>('date-time patterns');
/** All themes but AGGREGATES: even their names are fetched when a statement names a function that is none of these. */
export const THEMES = new Part<typeof Themes>('names of functions');
