// The format of keys that are not the source's, where it has none; knows no columns' types.

import type { SourceFormats } from '../catalog/formats.ts';
import type { SourceProperties } from '../catalog/properties.ts';
import type { Schema } from '../data/schema.ts';
import { WORDS } from './parts.ts';

interface Rekeyed {
  readonly properties: SourceProperties;
  readonly schema: Schema;
  readonly keyless: boolean;
  /** The session's. */
  readonly defaultKey: string;
}

/** The formats of a sink without a key, or whose key would have the format NONE. @throws {StatementError} INVALID */
export function rekeyedFormats(
  chosen: SourceFormats,
  { properties, schema, keyless, defaultKey }: Rekeyed,
): SourceFormats {
  const named = properties.keyFormat ?? properties.format;
  if (keyless) {
    if (named !== null && named.value !== 'NONE') {
      throw WORDS.code.keyFormatWithoutKey(named.at);
    }
    return { ...chosen, key: { format: 'NONE', options: [], wrap: false } };
  }
  if (named !== null) return chosen;
  // The source had no key to have a format for. KAFKA, the default, holds keys of one column.
  const isWide = schema.columns.filter((column) => column.role === 'key').length > 1;
  const format = isWide && defaultKey === 'KAFKA' ? 'JSON' : defaultKey;
  return { ...chosen, key: { format, options: [], wrap: false } };
}
