// Small steps over schemas that the planner takes: picking, carrying, laying out; knows no steps.

import { existing } from '../base/assert.ts';
import { type Schema, schema, type SchemaColumn } from '../data/schema.ts';
import type { Layout } from './remap.ts';

/** The columns at those positions, in the order of the schema. */
export function picked(of: Schema, kept: readonly number[]): Schema {
  return schema(of.columns.filter((_, index) => kept.includes(index)));
}

/** Columns as they are carried behind a new key: all are values there. */
export function asValues(of: Schema, at: readonly number[]): SchemaColumn[] {
  return at.map((index) => ({ ...existing(of.columns[index], 'column'), role: 'value' }));
}

/** Where the kept columns stand after picking them, in that order. */
export function positions(kept: readonly number[]): Layout {
  return new Map(kept.map((index, place) => [index, place]));
}

/** Every column where it was. */
export function unmoved(of: Schema): Layout {
  return positions(of.columns.map((_, index) => index));
}
