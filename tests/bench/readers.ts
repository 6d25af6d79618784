// Reading records into columns, in the kernel and beside it in TypeScript: what each kind of value gains; knows no engine.

import { parseRecordBatch } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import { schema, type SchemaColumn } from '../../runtime/data/schema.ts';
import { BIGINT, DOUBLE, STRING } from '../../runtime/data/type.ts';
import { loadParts } from '../../runtime/engine/parts.ts';
import { loadWholeKernel } from '../../runtime/engine/whole-kernel.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { SourceStep } from '../../runtime/plan/step.ts';
import { readerOf } from '../../runtime/task/input.ts';
import { jsonSource } from '../support/json-readers.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { BATCH_ROWS } from './events.ts';
import { jsonEvents } from './json-events.ts';
import { runCase, type Subject } from './run.ts';

const EVENTS = 100_000;
const KEYS = 1000;
const ROUNDS = 15;

/** A kind of record. */
interface Kind {
  readonly kind: string;
  readonly step: SourceStep;
  /** Key and value of an event of the suite. */
  readonly record: (text: string, i: number) => readonly [Uint8Array | null, string];
}

function field(type: SchemaColumn['type'], ...path: readonly string[]): SchemaColumn {
  return { name: path.join('->'), type, role: 'value', path };
}

/** The event's members, those that are read two objects deeper. */
function nested(text: string): string {
  return `{"source":"bench","event":{"at":{"place":"hall"},"reading":${text}},"version":3}`;
}

/** The event's values, between commas. */
function line(text: string): string {
  return Object.values(JSON.parse(text) as Record<string, unknown>).join(',');
}

const NINE =
  'ID:STRING | TS:BIGINT | K:STRING | STATION:STRING | X:DOUBLE | UNIT:STRING | OK:BOOLEAN | SEQ:INTEGER | TAG:STRING';

/** Reads the same three as the others. */
function delimited(): SourceStep {
  const step = jsonSource(NINE);
  const read = step.schema.columns.filter(({ name }) => /^(?:K|X|TS)$/u.test(name));
  return {
    ...step,
    valueFormat: { ...step.valueFormat, format: 'DELIMITED' },
    schema: schema(read),
  };
}

const FIELDS = schema([
  field(STRING, 'EVENT', 'READING', 'K'),
  field(DOUBLE, 'EVENT', 'READING', 'X'),
  field(BIGINT, 'EVENT', 'READING', 'TS'),
]);

const KINDS: readonly Kind[] = [
  {
    kind: 'three members',
    step: jsonSource('K:STRING | X:DOUBLE | TS:BIGINT'),
    record: (text) => [null, text],
  },
  {
    kind: 'three fields of a struct in a struct',
    step: { ...jsonSource('K:STRING'), sourceSchema: FIELDS, schema: FIELDS },
    record: (text) => [null, nested(text)],
  },
  {
    kind: 'three of nine DELIMITED fields',
    step: delimited(),
    record: (text) => [null, line(text)],
  },
  {
    kind: 'KAFKA keys of STRING, and a member',
    step: jsonSource('KEY:STRING key | X:DOUBLE'),
    record: (text, i) => [new TextEncoder().encode(`key ${i % KEYS}`), text],
  },
  {
    kind: 'KAFKA keys of BIGINT, and a member',
    step: jsonSource('KEY:BIGINT key | X:DOUBLE'),
    record: (text, i) => [Uint8Array.of(0, 0, 0, 0, 0, 0, (i % KEYS) >> 8, i & 255), text],
  },
];

function subjectOf({ step, record }: Kind, subject: 'kernel' | 'TypeScript'): Subject {
  const encoder = new TextEncoder();
  let number = 0;
  const batches = jsonEvents(EVENTS, KEYS).map(({ texts }) => {
    const builder = new RecordBatchBuilder();
    for (const text of texts) {
      const [key, value] = record(text, number++);
      builder.append(key, encoder.encode(value), 1);
    }
    return parseRecordBatch(builder.finish() ?? new Uint8Array(0));
  });
  const reader = readerOf(step, FORMATS, { kernel: subject === 'kernel' ? kernelModule() : null });
  const place = { topic: 's', partition: 0, base: 0, incarnation: '1' };
  const failed = (index: number, error: Error): never => {
    throw new Error(`record ${index}`, { cause: error });
  };
  return {
    subject,
    prepare: () => () =>
      batches.reduce(
        (rows, records) =>
          rows + (reader.read(records, place, 0, records.count, failed)?.length ?? 0),
        0,
      ),
  };
}

/** A ratio for each kind. */
export async function readersCases(): Promise<Awaited<ReturnType<typeof runCase>>[]> {
  await loadParts();
  await loadWholeKernel();
  const done: Awaited<ReturnType<typeof runCase>>[] = [];
  for (const kind of KINDS) {
    const bench = {
      case: `reading ${kind.kind}`,
      unit: 'M events/s',
      amount: Math.floor(EVENTS / BATCH_ROWS) * BATCH_ROWS,
      subjects: (['kernel', 'TypeScript'] as const).map((subject) => subjectOf(kind, subject)),
      ratios: [['kernel', 'TypeScript'] as const],
    };
    done.push(await runCase(bench, ROUNDS));
  }
  return done;
}
