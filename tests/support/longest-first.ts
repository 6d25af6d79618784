// The order of the test files: those that take longest begin first, so that none of them runs alone at the end; knows no test.
import { relative, resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = resolve(import.meta.dirname, '../..');

/** Files of more than half a minute, the longest first. A clean clone has no times of its own, and Vitest then goes by the files' sizes. */
export const LONGEST: readonly string[] = [
  'tests/node/conformance/ksql.test.ts',
  'tests/node/torture/torture.test.ts',
  'tests/simulation/two-objects.test.ts',
  'tests/node/edge/unread-answers.test.ts',
  'tests/simulation/put-back.test.ts',
  'tests/node/demo/page.test.ts',
  'tests/node/package/pack.test.ts',
  'tests/node/cases/cases.test.ts',
  'tests/node/cases/hosts.test.ts',
  'tests/browser/engine.test.ts',
  'tests/node/operators/kernel-sessions.test.ts',
  'tests/node/edge/upgrades.test.ts',
  'tests/node/operators/forgetting.contract.test.ts',
  'tests/node/browser/share.test.ts',
  'tests/node/client/outbox.test.ts',
  'tests/node/edge/put-back-tasks.test.ts',
  'tests/node/client/journeys.test.ts',
  'tests/node/edge/put-back.test.ts',
  'tests/node/operators/join-runs.property.test.ts',
  'tests/node/operators/aggregate.contract.test.ts',
  'tests/browser/page.test.ts',
  'tests/node/browser/share-life.test.ts',
  'tests/node/operators/kernel-sessions.contract.test.ts',
];

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.indexOf(relative(root, moduleId).replaceAll('\\', '/'));
  return index < 0 ? LONGEST.length : index;
}

/** All else as Vitest has it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
