// The NONE format: no columns and no bytes, for keys that are not read; knows nothing else.

import { RARER_FORMATS } from './parts.ts';
import type { Format } from './serde.ts';

export const NONE_FORMAT: Format = {
  name: 'NONE',
  refuse: (columns, part) => RARER_FORMATS.code.noneRefuses(columns, part),
  decoder: () => RARER_FORMATS.code.NONE_DECODER,
  encoder: () => ({ encode: () => false }),
};
