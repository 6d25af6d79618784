// The properties that a session may set and what values they take; knows what each is called, not what it does.

import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';

/** What a value may be: one of some words, or of a kind. */
export type Values = readonly string[] | 'flag' | 'whole' | 'text';

/** A property that means something here. */
export interface SessionProperty {
  readonly values: Values;
  /** What it does, and its default, in one line. */
  readonly meaning: string;
}

function property(values: Values, meaning: string): SessionProperty {
  return { values, meaning };
}

export const SESSION_PROPERTIES: ReadonlyMap<string, SessionProperty> = new Map([
  [
    'auto.offset.reset',
    property(
      ['earliest', 'latest'],
      'Where a query starts reading that has not read before, and goes on when records were let go before it read them. Default: earliest for persistent queries, latest for push queries.',
    ),
  ],
  [
    'millrace.path',
    property(
      ['auto', 'row', 'kernel'],
      'Whether aggregations run in the WebAssembly kernel: where it can (auto, the default), never (row), or else the query is refused (kernel).',
    ),
  ],
  [
    'millrace.fuse',
    property(
      ['auto', 'never'],
      'Whether a change of key is done without an internal topic where there is one partition (auto, the default).',
    ),
  ],
  [
    'millrace.decoder',
    property(
      ['auto', 'row'],
      'Whether values in JSON, and outside pages keys and DELIMITED values, are decoded in the WebAssembly kernel: where it can (auto, the default), or never (row). The rows are the same.',
    ),
  ],
  [
    'millrace.idle.timeout.ms',
    property(
      'whole',
      'After so long without a record, stream time follows the wall clock, so that windows close. 0 or unset: it waits for records.',
    ),
  ],
  [
    'millrace.self.joins',
    property(
      'text',
      "'allow' lets a query join a source with itself, which ksqlDB refuses. Unset: it is refused.",
    ),
  ],
  [
    'ksql.assert.topic.default.timeout.ms',
    property('whole', 'How long ASSERT TOPIC waits where it has no TIMEOUT. Default: 1000.'),
  ],
  [
    'ksql.create.or.replace.enabled',
    property('flag', 'Whether CREATE OR REPLACE is allowed. Default: true.'),
  ],
  [
    'ksql.insert.into.values.enabled',
    property('flag', 'Whether INSERT INTO ... VALUES is allowed. Default: true.'),
  ],
  [
    'ksql.new.query.planner.enabled',
    property(
      'flag',
      "Whether a stream's query may leave key columns out and put them in another order. Default: false.",
    ),
  ],
  [
    'ksql.output.topic.name.prefix',
    property('text', 'Stands before the names of topics that CREATE ... AS makes. Default: none.'),
  ],
  [
    'ksql.persistence.default.format.key',
    property('text', 'The KEY_FORMAT where a statement names none. Default: KAFKA.'),
  ],
  [
    'ksql.persistence.default.format.value',
    property(
      'text',
      'The VALUE_FORMAT where a statement names none. Unset: a statement must name one.',
    ),
  ],
  [
    'ksql.persistence.wrap.single.values',
    property(
      'flag',
      'Whether a value of one column is an object with one field, where WRAP_SINGLE_VALUE says nothing. Default: true.',
    ),
  ],
  [
    'ksql.query.pull.limit.clause.enabled',
    property('flag', 'Whether a pull query may have a LIMIT. Default: true.'),
  ],
  [
    'ksql.query.pull.stream.enabled',
    property(
      'flag',
      'Whether pull queries may read streams, from their topic; those over tables always may. Default: true.',
    ),
  ],
  [
    'ksql.query.pull.range.scan.enabled',
    property(
      'flag',
      'Whether a pull query may go through a range of keys where it may not look through all rows. Default: true.',
    ),
  ],
  [
    'ksql.query.pull.table.scan.enabled',
    property(
      'flag',
      'Whether a pull query may look through all rows where it names no key. Default: true.',
    ),
  ],
  [
    'ksql.timestamp.throw.on.invalid',
    property(
      'flag',
      'What a record without a usable timestamp does: it is skipped and stands in the processing log (false, the default), or it ends the query (true).',
    ),
  ],
  [
    'ksql.variable.substitution.enable',
    property(['true'], 'Variables are always put in; the property says so.'),
  ],
  [
    'cache.max.bytes.buffering',
    property(
      'whole',
      'Above 0 an aggregation shows a group at most once for each 4,096 offsets that it reads, as it is then; how much above means nothing. 0 or unset: after every record.',
    ),
  ],
  ['statestore.cache.max.bytes', property('whole', 'The newer name of cache.max.bytes.buffering.')],
  [
    'commit.interval.ms',
    property(
      'whole',
      'How long changes wait in a cache at most, up to 30000; without one it means nothing. Default: 2000.',
    ),
  ],
  [
    'processing.guarantee',
    property(
      ['exactly_once', 'exactly_once_v2', 'exactly_once_beta', 'at_least_once'],
      'Processing is exactly once, whichever is set.',
    ),
  ],
]);

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
    if (value !== null) checkValue(name, value, known.values, at);
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
