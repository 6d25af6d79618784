// Which columns of a source nobody looks at once a batch has been processed, so that its decoder may lend them; knows no batch and no kernel.

import { columnsRead, type Expr } from '../expr/expr.ts';
import type { AggregateStep, Step } from '../plan/step.ts';
import { LAST_KEPT } from './build.ts';
import type { ValueSource } from './json-values.ts';

type Names = ReadonlySet<string>;

const NONE: Names = new Set();

/**
 * Names of the value columns that end with their batch: where all that comes behind the source is one chain to an aggregation in the kernel, which
 * copies what it folds. By rows it puts out the key columns and the rowtimes that it was given; by groups nothing of them.
 */
export function lentColumns({
  step: source,
  steps = [],
}: Pick<ValueSource, 'step' | 'steps'>): Names {
  const isChain = steps.every((step) => step === source || 'input' in step);
  if (!isChain || source.materialized) return NONE;
  const { columns } = source.sourceSchema;
  const lent = new Set(columns.filter(({ role }) => role === 'value').map(({ name }) => name));
  /** By position in the rows of `last`: the columns of the source whose values stand there. */
  let held: readonly Names[] = source.schema.columns.map(({ name }) => new Set([name]));
  let last: Step = source;
  for (;;) {
    const [next, another] = readersOf(last, steps);
    if (next === undefined || another !== undefined) return NONE;
    const from = held;
    const heldAt = (position: number): Names => from[position] ?? NONE;
    // What an expression gives may be a column that it reads.
    const heldBy = (expression: Expr): Names =>
      new Set(columnsRead(expression).flatMap((position) => [...heldAt(position)]));
    if (next.step === 'aggregate') {
      if (!isInKernel(next)) return NONE;
      if (readersOf(next, steps).some(({ step }) => LAST_KEPT.test(step))) return lent;
      for (const [position, { role }] of last.schema.columns.entries())
        if (role === 'key') for (const name of heldAt(position)) lent.delete(name);
      if (source.timestamp !== null) lent.delete(source.timestamp.column);
      return lent;
    }
    if (next.step === 'rekey') held = [...next.key.map(heldBy), ...next.carried.map(heldAt)];
    else if (next.step === 'project') held = next.expressions.map(heldBy);
    else if (next.step !== 'filter') return NONE;
    last = next;
  }
}

function readersOf({ id }: Step, steps: readonly Step[]): Step[] {
  return steps.filter((step) => 'input' in step && step.input === id);
}

/** Of a stream, and neither of sessions nor of sliding windows: the others hold rows, or put out more of them. */
function isInKernel({ run, over, window }: AggregateStep): boolean {
  const isPlain = window === null || /^(?:TUMBLING|HOPPING)$/u.test(window.type);
  return run.path === 'kernel' && over === 'stream' && isPlain;
}
