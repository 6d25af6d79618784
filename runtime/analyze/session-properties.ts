// The properties that a session may set and what values they take; knows what each is called, not what it does.

import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';

/** What a value may be: one of some words, or of a kind. */
export type Values = readonly string[] | 'flag' | 'whole' | 'text';

/** The properties that mean something here; session-meanings.ts says what each does. */
const VALUES = {
  'auto.offset.reset': ['earliest', 'latest'],
  'millrace.path': ['auto', 'row', 'kernel'],
  'millrace.fuse': ['auto', 'never'],
  'millrace.decoder': ['auto', 'row'],
  'millrace.idle.timeout.ms': 'whole',
  'millrace.self.joins': 'text',
  'ksql.assert.topic.default.timeout.ms': 'whole',
  'ksql.create.or.replace.enabled': 'flag',
  'ksql.insert.into.values.enabled': 'flag',
  'ksql.new.query.planner.enabled': 'flag',
  'ksql.output.topic.name.prefix': 'text',
  'ksql.persistence.default.format.key': 'text',
  'ksql.persistence.default.format.value': 'text',
  'ksql.persistence.wrap.single.values': 'flag',
  'ksql.query.pull.limit.clause.enabled': 'flag',
  'ksql.query.pull.stream.enabled': 'flag',
  'ksql.query.pull.range.scan.enabled': 'flag',
  'ksql.query.pull.table.scan.enabled': 'flag',
  'ksql.timestamp.throw.on.invalid': 'flag',
  'ksql.variable.substitution.enable': ['true'],
  'cache.max.bytes.buffering': 'whole',
  'statestore.cache.max.bytes': 'whole',
  'commit.interval.ms': 'whole',
  'processing.guarantee': ['exactly_once', 'exactly_once_v2', 'exactly_once_beta', 'at_least_once'],
} as const satisfies Readonly<Record<string, Values>>;

export type SessionPropertyName = keyof typeof VALUES;

export const SESSION_PROPERTIES: ReadonlyMap<string, Values> = new Map(Object.entries(VALUES));

/** Properties of ksqlDB, Kafka Streams and its clients that change no result: they are kept and shown. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  `ksql.assert.schema.default.timeout.ms ksql.fail.on.deserialization.error ksql.fail.on.production.error ksql.headers.columns.enabled
  ksql.internal.topic.replicas ksql.lambdas.enabled ksql.sink.partitions ksql.sink.replicas ksql.suppress.buffer.size.bytes
  ksql.suppress.enabled ksql.windowed.session.key.legacy ksql.query.error.max.queue.size
  ksql.query.persistent.max.bytes.buffering.total ksql.query.pull.consistency.token.enabled
  ksql.query.pull.interpreter.enabled ksql.query.pull.max.allowed.offset.lag
  ksql.query.pull.metrics.enabled ksql.query.pull.router.thread.pool.size
  ksql.query.pull.thread.pool.size
  ksql.query.push.v2.enabled ksql.query.push.v2.registry.installed ksql.query.retry.backoff.initial.ms
  ksql.query.retry.backoff.max.ms ksql.query.status.running.threshold.seconds ksql.query.transient.max.bytes.buffering.total
  acks batch.size buffer.memory buffered.records.per.partition client.id compression.type
  default.deserialization.exception.handler default.production.exception.handler enable.idempotence fetch.max.bytes
  fetch.max.wait.ms fetch.min.bytes heartbeat.interval.ms isolation.level linger.ms max.block.ms max.partition.fetch.bytes
  max.poll.interval.ms max.poll.records max.request.size max.task.idle.ms metadata.max.age.ms num.standby.replicas
  num.stream.threads poll.ms receive.buffer.bytes replication.factor request.timeout.ms retries retry.backoff.ms
  send.buffer.bytes session.timeout.ms state.cleanup.delay.ms task.timeout.ms topology.optimization`.split(
    /\s+/,
  ),
);

/** Properties of the host, which no session sets. */
export const OF_THE_HOST: ReadonlySet<string> = new Set(
  `application.id application.server bootstrap.servers state.dir ksql.access.validator.enable ksql.advertised.listener
  ksql.connect.url ksql.extension.dir ksql.metrics.extension ksql.queries.file ksql.schema.registry.url
  ksql.security.extension.class ksql.service.id ksql.udf.enable.security.manager ksql.udfs.enabled listeners`.split(
    /\s+/,
  ),
);

/** How Kafka Streams' properties may be prefixed. */
const PREFIX =
  /^ksql\.streams\.(?:(?:main\.)?consumer\.|producer\.)?|^(?:(?:main\.)?consumer|producer)\./;

/** Settings of functions, and of single parts of Kafka Streams, whose names are theirs. */
const OPEN_NAMES = /^ksql\.functions\.[\w.]+$|^ksql\.streams\.__|^topic\.|^ksql\.streams\.topic\./;

/** The property under the one name that it has here: without Kafka Streams' prefix. */
function propertyName(written: string): string {
  const bare = written.replace(PREFIX, '');
  return SESSION_PROPERTIES.has(bare) || WITHOUT_EFFECT.has(bare) ? bare : written;
}

/**
 * Checks that a session may give the property that value.
 * @param value null: it is unset
 * @returns its name here
 * @throws {StatementError} INVALID with the nearest name, or with what the value may be
 */
export function checkedProperty(
  written: string,
  value: string | null,
  at: Position | null,
): string {
  const name = propertyName(written);
  const known = SESSION_PROPERTIES.get(name);
  if (known !== undefined) {
    if (value !== null) checkValue(name, value, known, at);
    return name;
  }
  if (WITHOUT_EFFECT.has(name) || OPEN_NAMES.test(name)) return name;
  if (OF_THE_HOST.has(name.replace(PREFIX, ''))) {
    throw new StatementError(
      'INVALID',
      `the property ${name} cannot be set by a session`,
      at,
      'It belongs to the host, which is given it when it starts.',
    );
  }
  throw new StatementError(
    'INVALID',
    `unknown property ${name}`,
    at,
    didYouMean(
      name,
      [...SESSION_PROPERTIES.keys(), ...WITHOUT_EFFECT],
      'SHOW PROPERTIES lists those that are set.',
    ),
  );
}

/** Properties that a caller gives, under their names here. @throws as `checkedProperty` */
export function checkedProperties(
  given: Iterable<readonly [name: string, value: string]>,
): Map<string, string> {
  return new Map([...given].map(([name, value]) => [checkedProperty(name, value, null), value]));
}

function checkValue(name: string, value: string, values: Values, at: Position | null): void {
  const expected = expectation(value, values);
  if (expected === null) return;
  throw new StatementError('INVALID', `${name} cannot be '${value}'`, at, expected);
}

/** What the value should be; null when it is that. */
function expectation(value: string, values: Values): string | null {
  switch (values) {
    case 'text':
      return null;
    case 'flag':
      return /^(?:true|false)$/i.test(value) ? null : 'It is true or false.';
    case 'whole':
      return /^\d{1,15}$/.test(value) ? null : 'It is a whole number, not negative.';
    default:
      return values.includes(value.toLowerCase()) ? null : `It is ${values.join(' or ')}.`;
  }
}
