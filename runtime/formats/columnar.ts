// The COLUMNAR format by name: its topics hold encoded batches, read and written as such; only keys are ever asked for by row.

import { InvariantError } from '../base/errors.ts';
import { JSON_FORMAT } from './json.ts';
import { KAFKA_FORMAT } from './kafka.ts';
import type { Format } from './serde.ts';

/**
 * Holds every type. Keys and values travel together, so both formats of a source are COLUMNAR. A key by itself is written
 * only to choose the partition of its row: in the KAFKA format where that holds it, else in JSON.
 */
export const COLUMNAR_FORMAT: Format = {
  name: 'COLUMNAR',
  refuse: () => null,
  decoder() {
    throw new InvariantError('COLUMNAR records are decoded as batches (data/codec.ts)');
  },
  encoder(columns, spec) {
    const isHeld = columns.length === 1 && KAFKA_FORMAT.refuse(columns, 'key', spec) === null;
    return (isHeld ? KAFKA_FORMAT : JSON_FORMAT).encoder(columns, { ...spec, wrap: true });
  },
};
