// What each property of WITH (...) means, in one line, for the reference; how it is read and checked is in properties.ts.

import { PARTITIONS_MAX } from '../base/limits.ts';
import type { WithProperty } from './all-properties.ts';

/** Apart from the code that reads them, since no page shows them. */
export const WITH_MEANINGS: Readonly<Record<WithProperty, string>> = {
  KAFKA_TOPIC:
    "The topic that holds the records. CREATE needs it; CREATE ... AS takes the source's own name where it is missing.",
  PARTITIONS: `How many partitions the topic has, 1 to ${PARTITIONS_MAX}. A topic that exists already has as many as are said, or they are left out.`,
  REPLICAS: 'Accepted with a warning: the host replicates the log.',
  FORMAT: 'KEY_FORMAT and VALUE_FORMAT in one.',
  KEY_FORMAT: 'How keys are written: KAFKA (the default), JSON, DELIMITED, COLUMNAR or NONE.',
  VALUE_FORMAT:
    'How values are written: JSON, DELIMITED, KAFKA, COLUMNAR or NONE. CREATE ... AS takes that of its source where it is missing.',
  KEY_DELIMITER: "The character between the columns of a DELIMITED key; 'TAB' and 'SPACE' too.",
  VALUE_DELIMITER: "The character between the columns of a DELIMITED value; 'TAB' and 'SPACE' too.",
  WRAP_SINGLE_VALUE: 'Whether a value of one column is an object with one field (true) or bare.',
  TIMESTAMP:
    "The column that is the record's time, of type BIGINT or TIMESTAMP, or a text with TIMESTAMP_FORMAT.",
  TIMESTAMP_FORMAT: "The pattern of a TIMESTAMP column of text, such as 'yyyy-MM-dd HH:mm:ss'.",
  RETENTION_MS: 'How long the topic keeps its records, in milliseconds.',
  CLEANUP_POLICY:
    "'delete': records go by RETENTION_MS; 'compact': the last of each key stays, and every record has a key; 'compact,delete': both. The topic that CREATE TABLE makes is compacted by default, what a query writes only where it says so.",
  WINDOW_TYPE: 'TUMBLING, HOPPING, SESSION or SLIDING: the keys of the topic are windowed.',
  WINDOW_SIZE: "The size of those windows, such as '30 SECONDS'; not with SESSION.",
  SOURCED_BY_CONNECTOR: 'Accepted and ignored: there are no connectors.',
  QUERY_ID:
    'The id that the query of INSERT INTO gets, upper-cased: letters, digits and underscores, without the beginnings of other ids (CSAS_, CTAS_, CST_, INSERTQUERY_).',
};
