// The NONE format: no columns and no bytes, for keys that are not read; knows nothing else.

import type { Format } from './serde.ts';

export const NONE_FORMAT: Format = {
  name: 'NONE',
  refuse(columns, part) {
    if (part === 'value') return "The 'NONE' format can only be used as a key format";
    return columns.length === 0
      ? null
      : "The 'NONE' format can only be used when no columns are defined";
  },
  decoder: () => ({
    decode(_bytes, _from, _to, into) {
      for (const builder of into) builder.appendNull();
      return true;
    },
  }),
  encoder: () => ({ encode: () => false }),
};
