// What a columnar record batch has in the place of keys, values and headers: nothing; knows no encoding.

import type { RecordHeader } from './record.ts';

/** Its records are rows of columns, none of which stands in the record batch by itself. */
export class NoRecordParts {
  readonly offsets = null;
  readonly cleaned = null;
  readonly isColumnar = true;
  readonly hasKeys = false;
  readonly valueLengths = new Int32Array(0);

  keyFrom(): number {
    return -1;
  }

  keyTo(): number {
    return -1;
  }

  valueFrom(): number {
    return -1;
  }

  valueTo(): number {
    return -1;
  }

  key(): null {
    return null;
  }

  value(): null {
    return null;
  }

  headers(): RecordHeader[] {
    return [];
  }
}
