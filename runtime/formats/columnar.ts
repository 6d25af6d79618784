// The COLUMNAR format by name: its topics hold encoded batches, read by the record and not by the key or value.

import { InvariantError } from '../base/errors.ts';
import type { Format } from './serde.ts';

function unused(): never {
  throw new InvariantError('COLUMNAR records are decoded as batches (data/codec.ts)');
}

/** Holds every type. Keys and values travel together, so both formats of a source are COLUMNAR. */
export const COLUMNAR_FORMAT: Format = {
  name: 'COLUMNAR',
  refuse: () => null,
  decoder: unused,
  encoder: unused,
};
