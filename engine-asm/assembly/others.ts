// Folds rows into the aggregates that whole kernels alone have: each has a block of its own in a slot, and a loop of its own; knows no state bytes.

import { TYPE_F64 } from './abi';
import { foldByOffset } from './by-offset';
import { foldDeviation } from './deviation';
import {
  aggregateCount,
  argumentOf,
  functionOf,
  isByOffset,
  isOther,
  otherCount,
  rowOutput,
  typeOf,
} from './program';

function goOver(
  slots: usize,
  count: u32,
  positions: usize,
  first: u32,
  at: u32,
  adds: bool,
  withNulls: u32,
  reads: bool,
): void {
  if (otherCount == 0) return;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    if (!isOther(functionOf(g))) continue;
    const argument = argumentOf(g);
    const hasNulls = (withNulls & ((<u32>1) << argument)) != 0;
    if (isByOffset(functionOf(g)))
      foldByOffset(g, slots, count, positions, first, at, adds, hasNulls, reads);
    else if (typeOf(argument) == TYPE_F64)
      foldDeviation<f64>(g, slots, count, positions, first, at, adds, hasNulls, reads);
    else foldDeviation<i64>(g, slots, count, positions, first, at, adds, hasNulls, reads);
  }
}

/**
 * Folds rows into their `count` slots, which stand from address `slots` on, and for output per row reads the results after each, into the places
 * from `at` on. The rows' positions stand at `positions`, or (0) follow one another from `first` on.
 */
export function foldOthers(
  slots: usize,
  count: u32,
  positions: usize,
  first: u32,
  at: u32,
  withNulls: u32,
): void {
  goOver(slots, count, positions, first, at, true, withNulls, rowOutput);
}

/** Reads the results of `count` slots into the places from `at` on. */
export function readOthers(slots: usize, count: u32, at: u32): void {
  goOver(slots, count, 0, 0, at, false, 0, true);
}
