// The formats by name; those that need a schema registry are refused by the planner. Knows no topic.

import { JSON_FORMAT } from './json.ts';
import { KAFKA_FORMAT } from './kafka.ts';
import { DELIMITED, RARER_FORMATS } from './parts.ts';
import type { Format, Formats } from './serde.ts';

/** A format whose code is fetched when it is first asked for anything. */
function fetched(name: string, format: () => Format): Format {
  return {
    name,
    refuse: (columns, part, spec) => format().refuse(columns, part, spec),
    decoder: (columns, wanted, spec) => format().decoder(columns, wanted, spec),
    encoder: (columns, spec) => format().encoder(columns, spec),
  };
}

export const FORMATS: Formats = new Map(
  [
    JSON_FORMAT,
    fetched('DELIMITED', () => DELIMITED.code.DELIMITED_FORMAT),
    KAFKA_FORMAT,
    fetched('NONE', () => RARER_FORMATS.code.NONE_FORMAT),
    fetched('COLUMNAR', () => RARER_FORMATS.code.COLUMNAR_FORMAT),
  ].map((format) => [format.name, format]),
);
