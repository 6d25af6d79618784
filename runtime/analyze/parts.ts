// The parts of the analysis that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as AggregateRules from './aggregate-rules.ts';
import type * as Coercion from './coercion.ts';
import type * as Control from './control.ts';
import type * as GivenSettings from './given-settings.ts';
import type * as InsertValues from './insert-values.ts';
import type * as LambdaCalls from './typing-lambdas.ts';
import type * as Joins from './joins.ts';
import type * as Pull from './pull.ts';
import type * as Rarer from './rarer.ts';
import type * as RareSources from './rare-sources.ts';
import type * as TypingNodes from './typing-nodes.ts';
import type * as Words from './words.ts';

export const AGGREGATE_RULES = new Part<typeof AggregateRules>();
export const COERCION = new Part<typeof Coercion>();
export const CONTROL = new Part<typeof Control>();
export const GIVEN_SETTINGS = new Part<typeof GivenSettings>();
export const INSERTS = new Part<typeof InsertValues>();
export const LAMBDA_CALLS = new Part<typeof LambdaCalls>();
export const JOINS = new Part<typeof Joins>();
export const PULL = new Part<typeof Pull>();
export const RARER = new Part<typeof Rarer>();
export const RARE_SOURCES = new Part<typeof RareSources>();
export const TYPING = new Part<typeof TypingNodes>();
export const WORDS = new Part<typeof Words>();
