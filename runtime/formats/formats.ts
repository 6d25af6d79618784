// The formats by name; those that need a schema registry are refused by the planner. Knows no topic.

import { COLUMNAR_FORMAT } from './columnar.ts';
import { DELIMITED_FORMAT } from './delimited.ts';
import { JSON_FORMAT } from './json.ts';
import { KAFKA_FORMAT } from './kafka.ts';
import { NONE_FORMAT } from './none.ts';
import type { Formats } from './serde.ts';

export const FORMATS: Formats = new Map(
  [JSON_FORMAT, DELIMITED_FORMAT, KAFKA_FORMAT, NONE_FORMAT, COLUMNAR_FORMAT].map((format) => [
    format.name,
    format,
  ]),
);
