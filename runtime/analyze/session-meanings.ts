// What each property of a session does, in one line, for the reference; which values it takes is in session-properties.ts.

import type { SessionPropertyName } from './session-properties.ts';

/** Apart from the code that checks them, since no page shows them. */
export const SESSION_MEANINGS: Readonly<Record<SessionPropertyName, string>> = {
  'auto.offset.reset':
    'Where a query starts reading that has not read before, and goes on when records were let go before it read them. Default: earliest for persistent queries, latest for push queries.',
  'millrace.path':
    'Whether aggregations run in the WebAssembly kernel: where it can (auto, the default), never (row), or else the query is refused (kernel).',
  'millrace.fuse':
    'Whether a change of key is done without an internal topic where there is one partition (auto, the default).',
  'millrace.decoder':
    'Whether values in JSON, and outside pages keys and DELIMITED values, are decoded in the WebAssembly kernel: where it can (auto, the default), or never (row). The rows are the same.',
  'millrace.idle.timeout.ms':
    'After so long without a record, stream time follows the wall clock, so that windows close. 0 or unset: it waits for records.',
  'millrace.self.joins':
    "'allow' lets a query join a source with itself, which ksqlDB refuses. Unset: it is refused.",
  'ksql.assert.topic.default.timeout.ms':
    'How long ASSERT TOPIC waits where it has no TIMEOUT. Default: 1000.',
  'ksql.create.or.replace.enabled': 'Whether CREATE OR REPLACE is allowed. Default: true.',
  'ksql.insert.into.values.enabled': 'Whether INSERT INTO ... VALUES is allowed. Default: true.',
  'ksql.new.query.planner.enabled':
    "Whether a stream's query may leave key columns out and put them in another order. Default: false.",
  'ksql.output.topic.name.prefix':
    'Stands before the names of topics that CREATE ... AS makes. Default: none.',
  'ksql.persistence.default.format.key':
    'The KEY_FORMAT where a statement names none. Default: KAFKA.',
  'ksql.persistence.default.format.value':
    'The VALUE_FORMAT where a statement names none. Unset: a statement must name one.',
  'ksql.persistence.wrap.single.values':
    'Whether a value of one column is an object with one field, where WRAP_SINGLE_VALUE says nothing. Default: true.',
  'ksql.query.pull.limit.clause.enabled': 'Whether a pull query may have a LIMIT. Default: true.',
  'ksql.query.pull.stream.enabled':
    'Whether pull queries may read streams, from their topic; those over tables always may. Default: true.',
  'ksql.query.pull.range.scan.enabled':
    'Whether a pull query may go through a range of keys where it may not look through all rows. Default: true.',
  'ksql.query.pull.table.scan.enabled':
    'Whether a pull query may look through all rows where it names no key. Default: true.',
  'ksql.timestamp.throw.on.invalid':
    'What a record without a usable timestamp does: it is skipped and stands in the processing log (false, the default), or it ends the query (true).',
  'ksql.variable.substitution.enable': 'Variables are always put in; the property says so.',
  'cache.max.bytes.buffering':
    'Above 0 an aggregation shows a group at most once for each 4,096 offsets that it reads, as it is then; how much above means nothing. 0 or unset: after every record.',
  'statestore.cache.max.bytes': 'The newer name of cache.max.bytes.buffering.',
  'commit.interval.ms':
    'How long changes wait in a cache at most, up to 30000; without one it means nothing. Default: 2000.',
  'processing.guarantee': 'Processing is exactly once, whichever is set.',
};
