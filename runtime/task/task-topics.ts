// Where tasks keep what goes wrong with records; knows no record.

import { encodeUtf8 } from '../base/bytes.ts';

/** Topics that tasks write besides their sinks; one partition each. */
export const PROCESSING_LOG_TOPIC = '__processing_log';
export const DEAD_LETTERS_TOPIC = '__dead_letters';

/** Where a task keeps the search for a record that makes it fail (poison.ts). */
export const HUNT_TABLE = '@attempts';
export const HUNT_KEY = encodeUtf8('hunt');
