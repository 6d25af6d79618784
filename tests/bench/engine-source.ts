// The events of the engine suite as topics: encoded batches, or JSON of about 130 bytes a value; knows no query.

import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import { type Dictionary, WholeDictionary } from '../../runtime/data/dictionary.ts';
import { BIGINT, DOUBLE, STRING } from '../../runtime/data/type.ts';
import type { Schema } from '../../runtime/data/schema.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import type { EventBatch, Events } from './events.ts';

/** A source whose key is not what the queries group by. */
function sourceOf(name: string, format: string): string {
  return `CREATE STREAM ${name} (id STRING KEY, k STRING, x DOUBLE, n BIGINT, label STRING)
    WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, ${format});`;
}

/** Bytes of distinct strings in a row. */
function dictionaryOf(texts: readonly string[]): Dictionary {
  const offsets = new Uint32Array(texts.length + 1);
  let at = 0;
  texts.forEach((text, i) => {
    at += text.length;
    offsets[i + 1] = at;
  });
  return new WholeDictionary(encodeUtf8(texts.join('')), offsets);
}

const LABEL = 'a reading of one sensor in the hall';

function idsOf(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `e${(first + i).toString(36).padStart(9, '0')}`);
}

/** The strings of a column in the order of their first use, and the code of each row. */
export function encodedColumn(texts: readonly string[]): {
  readonly values: Uint32Array;
  readonly dictionary: Dictionary;
} {
  const known = new Map<string, number>();
  const values = Uint32Array.from(texts, (text) => {
    const code = known.get(text) ?? known.size;
    known.set(text, code);
    return code;
  });
  return { values, dictionary: dictionaryOf([...known.keys()]) };
}

function batchOf(schema: Schema, events: EventBatch, first: number): Batch {
  const { length, keys, rowtime, value } = events;
  const identity = Uint32Array.from({ length }, (_, i) => i);
  const text = { type: STRING, validity: null, storage: 'dictionary' } as const;
  return {
    schema,
    length,
    selection: null,
    columns: [
      { ...text, values: identity, dictionary: dictionaryOf(idsOf(first, length)) },
      { ...text, ...encodedColumn(keys) },
      { type: DOUBLE, validity: null, storage: 'f64', values: value },
      {
        type: BIGINT,
        validity: null,
        storage: 'i64',
        values: BigInt64Array.from(value, (x) => BigInt(Math.floor(x))),
      },
      {
        ...text,
        values: new Uint32Array(length),
        dictionary: dictionaryOf([LABEL]),
      },
    ],
    valueNull: null,
    keyNull: null,
    rowtime,
    op: null,
    origin: null,
  };
}

/** Makes the stream `name` with FORMAT='COLUMNAR' and fills it: a record batch per batch of events. */
export async function fillColumnar(engine: Engine, name: string, events: Events): Promise<void> {
  await engine.execute(sourceOf(name, "FORMAT='COLUMNAR'"));
  const schema = engine.catalog.source(name.toUpperCase()).schema;
  let first = 0;
  for (const batch of events.batches) {
    await engine.insertBatch(name, batchOf(schema, batch, first));
    first += batch.length;
  }
}

/** Makes the stream `name` of JSON values and fills it. */
export async function fillJson(engine: Engine, name: string, events: Events): Promise<void> {
  await engine.execute(sourceOf(name, "VALUE_FORMAT='JSON'"));
  let first = 0;
  for (const { length, keys, rowtime, value } of events.batches) {
    const ids = idsOf(first, length);
    const records = ids.map((key, i) => ({
      key,
      value: `{"station":"north","k":"${keys[i]}","x":${value[i]},"unit":"K","n":${Math.floor(value[i] ?? 0)},"label":"${LABEL}"}`,
      timestamp: rowtime[i],
    }));
    await engine.produce(name, records);
    first += length;
  }
}
