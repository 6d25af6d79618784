// Runs one case on a host as a user would: topics, statements, then the inputs one by one, each to its end; knows no host.

import { StatementError } from '../../runtime/base/errors.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import type { Case } from './case.ts';
import type { CaseHost } from './host.ts';
import { outputDifference } from './outputs.ts';
import { onePartitionReason } from './partitions.ts';
import { inputRecord, type TopicRecord } from './records.ts';
import { type Outcome, planned, type RunOptions } from './run-case.ts';
import { parsed, propertiesOf, Refusal, sourceOver, topicsOf } from './script.ts';

/** `partitions`: of each topic whose number the case leaves open. */
type HostOptions = Pick<RunOptions, 'path' | 'fuse' | 'partitions'>;

/** Never throws: what goes wrong is the outcome. Refusals are the planner's, and the same everywhere. */
export async function runHostCase(
  of: Case,
  host: CaseHost,
  options: HostOptions,
): Promise<Outcome> {
  if (of.expectedError !== null) return { kind: 'leftOut', reason: 'a refusal' };
  try {
    return await run(of, host, options);
  } catch (thrown) {
    if (thrown instanceof Refusal) return { kind: 'leftOut', reason: 'a refusal' };
    return {
      kind: 'failed',
      why: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    };
  }
}

async function run(of: Case, host: CaseHost, options: HostOptions): Promise<Outcome> {
  const { path, fuse, partitions: partitionsDefault = 1 } = options;
  const { catalog, plans } = planned(of, { path, fuse });
  const statements = parsed(of.statements.join('\n'));
  const topics = topicsOf(of, statements, of.inputs, partitionsDefault);
  const isPartitioned = [...topics.values()].some(({ partitions }) => partitions > 1);
  const reason = isPartitioned ? onePartitionReason(of, plans) : null;
  if (reason !== null) return { kind: 'leftOut', reason };
  const sourceOf = (topic: string): Source => sourceOver(catalog, topic);
  await using tenant = await host.tenant();
  for (const [name, { partitions }] of topics) await tenant.createTopic(name, partitions);
  try {
    await tenant.execute(of.statements.join('\n'), propertiesOf(of, options));
  } catch (thrown) {
    if (!(thrown instanceof StatementError)) throw thrown;
    return { kind: 'failed', why: `refused: ${thrown.code} ${thrown.message}` };
  }
  await tenant.settle();
  for (const input of of.inputs) {
    await tenant.produce(input.topic, inputRecord(input, sourceOf(input.topic)));
    await tenant.settle();
  }
  const written = new Map<string, readonly TopicRecord[]>();
  for (const { topic } of of.outputs) {
    if (!written.has(topic)) written.set(topic, await tenant.records(topic));
  }
  const why = outputDifference(
    of,
    { records: (topic) => written.get(topic) ?? [], source: sourceOf, silent: [] },
    isPartitioned ? 'keys' : 'whole',
  );
  return why === null ? { kind: 'passed' } : { kind: 'failed', why };
}
