// Internal topics of one push query, in memory beside the host's log; knows no task.

import { MemoryLog } from '../memory/memory-log.ts';
import { MemoryStore } from '../memory/memory-store.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Log, TopicPartition } from '../ports/log.ts';
import type { TaskStore } from '../ports/store.ts';
import { internalTopic } from './system.ts';

/** The host's log with the plan's internal topics, which die with the query, and a store that appends to these as it commits. */
export async function withOwnTopics(
  plan: Plan,
  host: Pick<Host, 'log' | 'clock'>,
): Promise<{ readonly log: Log; readonly store: TaskStore }> {
  const own = new MemoryLog(host.clock);
  for (const { name, partitions } of plan.internalTopics)
    await own.create(internalTopic(name, partitions));
  const internal = new Set(plan.internalTopics.map(({ name }) => name));
  const isDelivered = (topic: string): boolean => internal.has(topic);
  const store = new MemoryStore({ clock: host.clock, deliverTo: own, isDelivered });
  return { log: routed(own, host.log, internal), store };
}

/** A log whose internal topics are the query's own; all others are the host's. */
function routed(own: Log, shared: Log, internal: ReadonlySet<string>): Log {
  const of = (topic: string): Log => (internal.has(topic) ? own : shared);
  const at = (partition: TopicPartition): Log => of(partition.topic);
  return {
    create: (topic) => of(topic.name).create(topic),
    remove: (topic) => of(topic).remove(topic),
    describe: (topic) => of(topic).describe(topic),
    list: () => shared.list(),
    append: (to, ...rest) => at(to).append(to, ...rest),
    read: (from, ...rest) => at(from).read(from, ...rest),
    bounds: (of_) => at(of_).bounds(of_),
    offsetForTime: (of_, ms) => at(of_).offsetForTime(of_, ms),
    trim: (of_, before) => at(of_).trim(of_, before),
    subscribe: (to, wake) => at(to).subscribe(to, wake),
  };
}
