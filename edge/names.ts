// The one function that names objects, with the checks on every part; knows no binding and no storage.

import { PortError } from '../runtime/base/errors.ts';
import { NAME_LENGTH_MAX, PARTITIONS_MAX } from '../runtime/base/limits.ts';
import type { TopicPartition } from '../runtime/ports/log.ts';
import type { TaskId } from '../runtime/ports/store.ts';

export type ObjectKind = 'partition' | 'processor' | 'relay' | 'catalog';

const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TOPIC = /^[A-Za-z0-9._-]+$/;
const TASK = /^[A-Za-z0-9._-]+\/\d{1,4}\/\d{1,4}$/;

/** True for a name that a topic may have (Kafka's rule). */
export function isTopicName(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && TOPIC.test(name) && name !== '.' && name !== '..';
}

/** True for a number that a partition may have. */
export function isPartitionNumber(partition: number): boolean {
  return Number.isInteger(partition) && partition >= 0 && partition < PARTITIONS_MAX;
}

/** @throws {PortError} UNKNOWN_TOPIC when a part could not be a name: no object is ever made for it */
function objectName(tenant: string, kind: ObjectKind, name: string): string {
  if (!TENANT.test(tenant)) throw new PortError('UNKNOWN_TOPIC', 'this tenant does not exist');
  return `t:${tenant}:${kind}:${name}`;
}

/** Name of a partition's object. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
export function partitionName(tenant: string, at: TopicPartition): string {
  if (!isTopicName(at.topic)) throw unknownTopic(at.topic);
  if (!isPartitionNumber(at.partition)) throw unknownPartition(at);
  return objectName(tenant, 'partition', `${at.topic}/${at.partition}`);
}

/** Name of a task's object. */
export function processorName(tenant: string, task: TaskId): string {
  if (!TASK.test(task)) throw new PortError('UNKNOWN_TOPIC', 'this task does not exist');
  return objectName(tenant, 'processor', task);
}

/** Name of one of a tenant's relays, 0 .. RELAYS_MAX - 1. */
export function relayName(tenant: string, relay: number): string {
  return objectName(tenant, 'relay', String(relay));
}

/** True for a name that `relayName` made. */
export function isRelayName(name: string): boolean {
  return name.split(':')[2] === 'relay';
}

/** Name of a tenant's catalog. */
export function catalogName(tenant: string): string {
  return objectName(tenant, 'catalog', 'main');
}

export function unknownTopic(topic: string): PortError {
  return new PortError(
    'UNKNOWN_TOPIC',
    `topic '${topic.slice(0, NAME_LENGTH_MAX)}' does not exist`,
  );
}

export function unknownPartition(at: TopicPartition): PortError {
  return new PortError(
    'UNKNOWN_PARTITION',
    `topic '${at.topic.slice(0, NAME_LENGTH_MAX)}' has no partition ${at.partition}`,
  );
}
