// A processor in code under the operator contract: state, scans, chance and turns of stream time, for each of its outputs.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Catalog } from '../../../runtime/catalog/catalog.ts';
import type { Source } from '../../../runtime/catalog/source.ts';
import { Op } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { type Processor, processor, table } from '../../../runtime/functions/user-processor.ts';
import type { Operator, OperatorContext } from '../../../runtime/operators/operator.ts';
import { processing } from '../../../runtime/operators/process.ts';
import { planProcessor } from '../../../runtime/plan/processor.ts';
import type { OutputStep, ProcessStep } from '../../../runtime/plan/step.ts';
import {
  batchesOf,
  describeOperator,
  outputLines,
  type Row,
} from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';

function source(name: string, kind: Source['kind'], columns: string): Source {
  const format = { format: 'JSON', options: [], wrap: true };
  return {
    name,
    kind,
    topic: name.toLowerCase(),
    partitions: 1,
    schema: prettySchema(columns),
    keyFormat: format,
    valueFormat: format,
    window: null,
    timestamp: null,
    headers: [],
    readOnly: false,
    query: null,
    statement: '',
  };
}

const catalog = [
  source('MOVES', 'stream', 'K:STRING key | N:BIGINT @rowtime'),
  source('LIMITS', 'table', 'K:STRING key | MOST:BIGINT @rowtime'),
  source('TOTALS', 'stream', 'K:STRING key | TOTAL:BIGINT | DRAWN:DOUBLE @rowtime'),
  source('TURNS', 'stream', 'KEYS:BIGINT | DRAWN:DOUBLE @rowtime'),
].reduce((before, made) => before.withSource(made), Catalog.empty);

const moves = processor({
  name: 'moves',
  inputs: {
    moves: { key: { k: 'STRING' }, value: { n: 'BIGINT' } },
    limits: { key: { k: 'STRING' }, value: { most: 'BIGINT' } },
  },
  outputs: { totals: 'totals', turns: 'turns' },
  state: {
    sums: table({ key: { k: 'STRING', part: 'INT' }, value: { total: 'BIGINT' } }),
    limits: table({ key: { k: 'STRING' }, value: { most: 'BIGINT' } }),
  },
  process(record, { state, emit, random }) {
    const k = record.key.k ?? '';
    if (record.source === 'limits') {
      if (record.value === null) state.limits.delete({ k });
      else state.limits.set({ k }, { most: record.value.most });
      return;
    }
    const n = record.value?.n ?? 0n;
    const key = { k, part: Number(n % 3n) };
    state.sums.set(key, { total: (state.sums.get(key)?.total ?? 0n) + n });
    let total = 0n;
    for (const { value } of state.sums.scan({ k })) total += value.total ?? 0n;
    const most = state.limits.get({ k })?.most ?? null;
    if (most !== null && total > most)
      for (const { key: gone } of state.sums.scan({ k })) state.sums.delete(gone);
    emit.totals({ k, total, drawn: random() });
    if (total % 2n === 0n) emit.totals({ K: k, drawn: random() }, { rowtime: 5 });
  },
  onTimeEveryMs: 10,
  onTime(_ms, { state, emit, random }) {
    emit.turns({ keys: BigInt([...state.sums.scan()].length), drawn: random() });
  },
});

function plannedSteps(of: Processor) {
  const [part] = planProcessor(of, catalog, 1).plan.subtopologies;
  const steps = part?.steps ?? [];
  const step = steps.find((found): found is ProcessStep => found.step === 'process');
  if (step === undefined) throw new Error('the plan has a process step');
  const inputs = step.inputs.map((id) => {
    const found = steps.find((other) => other.id === id);
    if (found === undefined) throw new Error('an input is a step');
    return found.schema;
  });
  return { steps, step, inputs };
}

const { steps, step, inputs } = plannedSteps(moves);
const registry = builtinRegistry([], [moves]);

/** The processor with one of its outputs behind it. */
function made(output: string): (context: OperatorContext) => Operator {
  const out = steps.find((of): of is OutputStep => of.step === 'output' && of.output === output);
  if (out === undefined) throw new Error(`there is no output ${output}`);
  return (context) => {
    const surroundings = { context, registry, steps };
    const code = processing(step, inputs, surroundings);
    const end = processing(out, [code.schema], surroundings);
    return {
      name: code.name,
      schema: end.schema,
      process: (input, batch, into) =>
        code.process(input, batch, (emitted) => end.process(0, emitted, into)),
      changes: (into) => code.changes?.(into),
    };
  };
}

interface Given {
  readonly to: number;
  readonly key: string;
  readonly n: number;
  readonly rowtime: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  to: fc.constantFrom(0, 0, 0, 1),
  key: fc.constantFrom('a', 'b', 'c'),
  n: fc.integer({ min: -1, max: 9 }),
  rowtime: fc.integer({ min: 0, max: 60 }),
});

function rowOf({ to, key, n, rowtime }: Given, offset: number): Row {
  const isGone = to === 1 && n < 0;
  const values = [key, BigInt(n), 0, offset, []];
  return { values, rowtime, op: to === 0 ? undefined : isGone ? Op.Delete : Op.UpdateAfter };
}

/** Each row a batch of its own where the input changes. */
const input = fc.array(given, { maxLength: 40 }).map((rows) => {
  const runs: Given[][] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    if (last?.[0]?.to === row.to) last.push(row);
    else runs.push([row]);
  }
  let offset = 0;
  return runs.flatMap((run) => {
    const to = run[0]?.to ?? 0;
    const base = offset;
    const rowsOfRun = run.map((row) => rowOf(row, offset++));
    const schema = inputs[to];
    if (schema === undefined) throw new Error('there is no such input');
    // No two rows are of one record, which would go on with its random numbers.
    const origin = Uint32Array.from(run, (_, index) => base + index);
    return batchesOf(schema, rowsOfRun).map((batch) => ({ to, batch: { ...batch, origin } }));
  });
});

for (const output of ['totals', 'turns']) {
  describeOperator(`a processor in code, its output ${output}`, {
    paths: [{ name: 'code', make: made(output) }],
    input,
    changelog: null,
  });
}

const record = (n: bigint, rowtime: number): Row => ({ values: ['a', n, 0, 0, []], rowtime });
const moved = (rows: readonly Row[]) => batchesOf(inputs[0] ?? step.schema, rows);

test('tells of each turn of stream time once, before the record that passed it, and not at the first record', () => {
  const run = new OperatorRun(made('turns'));
  for (const [n, rowtime] of [
    [1n, 25],
    [2n, 29],
    [3n, 30],
    [4n, 21],
    [5n, 61],
  ] as const)
    for (const batch of moved([record(n, rowtime)])) run.process(batch);
  expect(outputLines(run).map((line) => line.replace(/\d\.\d+/, 'drawn'))).toEqual([
    '2 | drawn @30',
    '3 | drawn @60',
  ]);
});

test('a scan sees more rows than it holds at once, in the order of their keys', () => {
  const many = processor({
    name: 'many',
    inputs: ['moves'],
    outputs: { turns: 'turns' },
    state: { rows: table({ key: { i: 'INT' }, value: {} }) },
    process(_record, { state, emit }) {
      for (let i = 999; i >= 0; i--) state.rows.set({ i }, {});
      const seen = [...state.rows.scan()].map(({ key }) => key.i);
      emit.turns({ keys: BigInt(seen.filter((i, at) => i === at).length) });
    },
  });
  const planned = plannedSteps(many);
  const emitted: bigint[] = [];
  const run = new OperatorRun((context) => {
    const code = processing(planned.step, planned.inputs, {
      context,
      registry: builtinRegistry([], [many]),
      steps: planned.steps,
    });
    return code;
  });
  for (const batch of moved([record(1n, 0)])) run.process(batch);
  for (const line of outputLines(run)) emitted.push(BigInt(line.split(' ')[0] ?? ''));
  expect(emitted).toEqual([1000n]);
});
