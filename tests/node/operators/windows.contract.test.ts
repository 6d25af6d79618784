// Sessions, sliding windows, final results and coalesced updates under the operator contract.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { coalesce } from '../../../runtime/operators/coalesce.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import type { WindowSpec } from '../../../runtime/plan/step.ts';
import { inPages } from '../../support/in-pages.ts';
import { batchesOf, describeOperator } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  registry,
  sessionOf,
  slidingOf,
  streamArbitrary,
  windowOf,
} from '../../support/operator-inputs.ts';

const NUMBERS = prettySchema('K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime');
const calls = [
  callOf('COUNT', NUMBERS),
  callOf('SUM', NUMBERS, 2),
  callOf('MAX', NUMBERS, 3),
  callOf('LATEST_BY_OFFSET', NUMBERS, 1),
  callOf('COLLECT_LIST', NUMBERS, 1),
  callOf('COUNT_DISTINCT', NUMBERS, 3),
];

const MAKERS = {
  TUMBLING: aggregate,
  HOPPING: aggregate,
  SESSION: sessionAggregate,
  SLIDING: slidingAggregate,
};

const aggregated =
  (window: WindowSpec): MakeOperator =>
  (context) => {
    const step = aggregateStep(NUMBERS, calls, { window });
    return MAKERS[window.type](step, NUMBERS, context, registry);
  };

for (const window of [sessionOf(4, 10), sessionOf(2, 0)]) {
  describeOperator(`sessionAggregate, ${window.graceMs} ms of grace`, {
    paths: [
      { name: 'row path', make: aggregated(window) },
      { name: 'in pages', make: inPages(aggregated(window)) },
    ],
    input: streamArbitrary(NUMBERS),
    changelog: { old: false },
  });
}

// As a client's query has them: with the same output, and without state of windows that are over.
for (const window of [sessionOf(4, 10), sessionOf(2, 0), windowOf(6, 3), windowOf(10, 5, 4)]) {
  const retentionMs =
    window.type === 'SESSION' ? window.retentionMs : window.sizeMs + window.graceMs;
  const expiring = aggregated({ ...window, retentionMs, expires: true });
  describeOperator(`a private aggregation, ${window.type} windows, ${window.graceMs} ms of grace`, {
    paths: [
      { name: 'row path', make: aggregated(window) },
      { name: 'private', make: (context) => expiring({ ...context, isPrivate: true }) },
    ],
    input: streamArbitrary(NUMBERS),
    changelog: { old: false },
    isPrivate: true,
    runs: 40,
  });
}

test('of windows that are over nothing is stored by a commit, where nobody asks for it', () => {
  for (const window of [sessionOf(2, 0), windowOf(6, 0)]) {
    const make = aggregated({ ...window, retentionMs: window.sizeMs, expires: true });
    const run = new OperatorRun((context) => make({ ...context, isPrivate: true }));
    const rows = [0, 1, 50, 100].map((rowtime) => ({ values: ['a', 1, 1n, 1], rowtime }));
    for (const batch of batchesOf(NUMBERS, rows)) run.process(batch);
    expect(run.commit().state.lines()).toHaveLength(1);
    run.close();
  }
});

const BUSY = prettySchema('K:STRING key | L:BIGINT @rowtime');
const busyRow = fc.record({
  at: fc.nat({ max: 400 }),
  value: fc.option(fc.bigInt({ min: -9n, max: 9n }), { freq: 5 }),
});

// Of one key, so that it has more sessions than stay in memory, and late rows come to some that were let go.
describeOperator('sessionAggregate, one key with many sessions', {
  paths: [
    {
      name: 'row path',
      make: (context) => {
        const step = aggregateStep(BUSY, [callOf('COUNT', BUSY), callOf('SUM', BUSY, 1)], {
          window: sessionOf(2, 1000),
        });
        return sessionAggregate(step, BUSY, context, registry);
      },
    },
  ],
  input: fc.array(busyRow, { minLength: 30, maxLength: 90 }).map((rows) =>
    batchesOf(
      BUSY,
      rows.map(({ at, value }) => ({ values: ['a', value], rowtime: 1000 + at })),
    ),
  ),
  changelog: { old: false },
  runs: 60,
});

for (const window of [slidingOf(10, 20), slidingOf(6, 0)]) {
  describeOperator(`slidingAggregate, ${window.graceMs} ms of grace`, {
    paths: [{ name: 'row path', make: aggregated(window) }],
    input: streamArbitrary(NUMBERS),
    changelog: { old: false },
  });
}

describeOperator('sessionAggregate by two key columns', {
  paths: [
    {
      name: 'row path',
      make: (context) => {
        const input = prettySchema('A:INTEGER key | B:BOOLEAN key | L:BIGINT @rowtime');
        const step = aggregateStep(input, [callOf('COUNT', input)], { window: sessionOf(5, 5) });
        return sessionAggregate(step, input, context, registry);
      },
    },
  ],
  input: streamArbitrary(prettySchema('A:INTEGER key | B:BOOLEAN key | L:BIGINT @rowtime')),
  changelog: { old: false },
});

const changelogOf =
  (window: WindowSpec) =>
  (batches: readonly Batch[]): readonly Batch[] => {
    const run = new OperatorRun(aggregated(window));
    for (const batch of batches) run.process(batch);
    return run.emitted;
  };

for (const window of [windowOf(10, 5), windowOf(10, 5, 4), sessionOf(4, 6), slidingOf(10, 5)]) {
  const { schema } = aggregateStep(NUMBERS, calls, { window });
  const input = streamArbitrary(NUMBERS)
    .map(changelogOf(window))
    .filter((batches) => batches.length > 0);

  describeOperator(`suppress, ${window.type} windows`, {
    paths: [
      {
        name: 'row path',
        make: (context) =>
          suppress(
            { step: 'suppress', id: '4', input: '3', schema, window },
            schema,
            context,
            registry,
          ),
      },
    ],
    input,
    changelog: { old: false },
  });

  describeOperator(`coalesce, ${window.type} windows`, {
    paths: [
      {
        name: 'row path',
        make: (context) =>
          coalesce(
            { step: 'coalesce', id: '4', input: '3', schema, everyMs: 1000 },
            schema,
            context,
            registry,
          ),
      },
    ],
    input,
    changelog: null,
  });
}
