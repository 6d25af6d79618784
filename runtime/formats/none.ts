// The NONE format: no columns and no bytes, for keys that are not read; knows nothing else.

import type { Format } from './serde.ts';

export const NONE_FORMAT: Format = {
  name: 'NONE',
  refuse(columns, part) {
    if (part === 'value') return 'NONE is a format of keys';
    const names = columns.map((column) => column.name).join(', ');
    return columns.length === 0 ? null : `NONE holds no column, and here is ${names}`;
  },
  decoder: () => ({
    decode(_bytes, _from, _to, into) {
      for (const builder of into) builder.appendNull();
      return true;
    },
  }),
  encoder: () => ({ encode: () => false }),
};
