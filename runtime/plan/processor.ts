// The query of a processor in code: its plan, and the tables of the catalog that are its state; knows no code that runs.

import { StatementError } from '../base/errors.ts';
import type { Catalog, PersistentQuery } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import { type Schema, schema, type SchemaColumn } from '../data/schema.ts';
import {
  array,
  BYTES,
  DOUBLE,
  INTEGER,
  STRING,
  struct,
  typeEquals,
  typeText,
} from '../data/type.ts';
import type { Processor, ProcessorInput, ProcessorState } from '../functions/user-processor.ts';
import {
  type MaterializedTable,
  type OutputStep,
  type Plan,
  PLAN_VERSION,
  type ProcessStep,
  type SinkStep,
  type SourceStep,
} from './step.ts';

/** No column of SQL is called so. */
const HEADERS = '@HEADERS';

/** What code is told of each record, beside its columns. */
const PLACE: readonly SchemaColumn[] = [
  { name: 'ROWPARTITION', type: INTEGER, role: 'pseudo' },
  { name: 'ROWOFFSET', type: DOUBLE, role: 'pseudo' },
  {
    name: HEADERS,
    type: array(
      struct([
        { name: 'KEY', type: STRING },
        { name: 'VALUE', type: BYTES },
      ]),
    ),
    role: 'pseudo',
  },
];

export interface PlannedProcessor {
  readonly query: PersistentQuery;
  readonly plan: Plan;
  /** Its state, for pull queries. */
  readonly tables: readonly Source[];
}

/**
 * Plans a processor against the catalog: one task a partition of its inputs.
 * @param number counts queries, for its id
 * @throws {StatementError} UNKNOWN_SOURCE, UNKNOWN_COLUMN, TYPE_MISMATCH, ALREADY_EXISTS, INVALID
 */
export function planProcessor(
  processor: Processor,
  catalog: Catalog,
  number: number,
): PlannedProcessor {
  const { name } = processor;
  if (catalog.ended.has(name))
    throw invalid(`the processor ${name} was terminated`, 'Under another name it begins anew.');
  const inputs = processor.inputs.map((input) => inputOf(processor, input, catalog));
  const [first] = inputs;
  if (first === undefined) throw invalid(`the processor ${name} has no input`);
  for (const other of inputs) refuseApart(name, first.source, other.source);
  const sinks = processor.outputs.map(({ property, sink }) => {
    return { property, sink: sinkOf(name, catalog.source(sink)) };
  });
  refuseTopics(
    name,
    inputs.map(({ source }) => source),
    sinks.map(({ sink }) => sink),
  );
  const query: PersistentQuery = {
    id: `PROCESSOR_${name}_${number}`,
    statement: textOf(processor),
    reads: inputs.map(({ source }) => source.name),
    writes: null,
    processor: name,
    outputs: sinks.map(({ sink }) => sink.name),
  };
  const { partitions } = first.source;
  const tables = processor.state.map((state) =>
    stateSource(state, { processor: name, query, partitions, catalog }),
  );
  const topics = new Set(inputs.map(({ source }) => source.topic));
  const sources = inputs.map(({ source, read }, index) => sourceStep(source, read, `${index + 1}`));
  const step: ProcessStep = {
    step: 'process',
    id: `${sources.length + 1}`,
    inputs: sources.map(({ id }) => id),
    schema: schema([]),
    processor: name,
    declaration: processor.declaration,
  };
  const ends = sinks.flatMap(({ property, sink }, index) =>
    outputSteps(property, sink, step.id, sources.length + 2 + index * 2),
  );
  const plan: Plan = {
    version: PLAN_VERSION,
    query: query.id,
    kind: 'persistent',
    statement: query.statement,
    internalTopics: [],
    subtopologies: [
      {
        id: 0,
        partitions,
        steps: [...sources, step, ...ends],
        ...(topics.size < inputs.length ? { rowByRow: true } : {}),
      },
    ],
    materialized: null,
    tables: Object.fromEntries(
      processor.state.map((state, index) => {
        const source = tables[index] as Source;
        return [source.name, materialized(`${step.id}.${state.name}`, source)];
      }),
    ),
    fused: { fused: true, why: 'nothing is repartitioned' },
    from: 'earliest',
  };
  return { query, plan, tables };
}

/** Whether the catalog has a query of the processor of that name. */
export function isBegun({ queries }: Catalog, name: string): boolean {
  return [...queries.values()].some(({ processor }) => processor === name);
}

/** What stands for the statement that there is none of. */
function textOf({ name, inputs, outputs }: Processor): string {
  const into = outputs.length === 0 ? '' : ` into ${outputs.map(({ sink }) => sink).join(', ')}`;
  return `processor ${name} of ${inputs.map(({ source }) => source).join(', ')}${into}`;
}

function invalid(message: string, hint = ''): StatementError {
  return new StatementError('INVALID', message, null, hint);
}

/** An input and what is read of it. */
function inputOf({ name }: Processor, input: ProcessorInput, catalog: Catalog) {
  const source = catalog.source(input.source);
  if (source.processor !== undefined)
    throw invalid(
      `${source.name}, which the processor ${name} would read, is the state of ${source.processor}`,
    );
  const { columns } = source.schema;
  if (input.columns === null)
    return { source, read: columns.filter(({ role }) => role !== 'pseudo') };
  for (const role of ['key', 'value'] as const) {
    for (const declared of input.columns[role]) {
      const found = columns.find((of) => of.role === role && of.name === declared.name);
      if (found === undefined) {
        const message = `${source.name}, which the processor ${name} reads, has no ${role} column ${declared.name}`;
        throw new StatementError('UNKNOWN_COLUMN', message);
      }
      if (typeEquals(found.type, declared.type)) continue;
      const message = `${source.name}.${found.name} is ${typeText(found.type)}, and the processor ${name} declares ${typeText(declared.type)}`;
      throw new StatementError('TYPE_MISMATCH', message);
    }
  }
  const wanted = input.columns;
  const isRead = ({ role, name: of }: SchemaColumn): boolean =>
    role === 'window' ||
    ((role === 'key' || role === 'value') && wanted[role].some((column) => column.name === of));
  return { source, read: columns.filter(isRead) };
}

/** Equal keys of all inputs must be in partitions of one number. */
function refuseApart(name: string, first: Source, other: Source): void {
  if (first === other) return;
  const keys = (of: Source): string =>
    of.schema.columns
      .filter(({ role }) => role === 'key')
      .map(({ type }) => typeText(type))
      .join(', ');
  for (const [what, here, there] of [
    ['partitions', `${first.partitions}`, `${other.partitions}`],
    ['key types', keys(first), keys(other)],
    ['key formats', first.keyFormat.format, other.keyFormat.format],
  ] as const) {
    if (here === there) continue;
    throw invalid(
      `${what} of the inputs of the processor ${name} differ: ${first.name} has ${here}, ${other.name} has ${there}`,
      'CREATE ... AS SELECT with PARTITION BY or WITH (PARTITIONS=..., KEY_FORMAT=...) makes a copy that fits.',
    );
  }
}

function sinkOf(name: string, sink: Source): Source {
  const why =
    sink.kind === 'table'
      ? 'a table'
      : sink.readOnly
        ? 'read-only'
        : sink.window !== null
          ? 'windowed'
          : null;
  if (why === null) return sink;
  throw invalid(`${sink.name}, which the processor ${name} would write, is ${why}`);
}

/** Rows of two outputs in one topic would have no order, and what is written must not be read. */
function refuseTopics(name: string, inputs: readonly Source[], sinks: readonly Source[]): void {
  for (const [index, { topic }] of sinks.entries()) {
    if (inputs.some((input) => input.topic === topic))
      throw invalid(`the processor ${name} would read the topic ${topic} that it writes`);
    if (sinks.findIndex((sink) => sink.topic === topic) !== index)
      throw invalid(`two outputs of the processor ${name} write the topic ${topic}`);
  }
}

function sourceStep(source: Source, read: readonly SchemaColumn[], id: string): SourceStep {
  const { name, kind, topic, keyFormat, valueFormat, window, timestamp } = source;
  return {
    step: 'source',
    id,
    source: name,
    kind,
    topic,
    keyFormat,
    valueFormat,
    window,
    timestamp,
    headers: [{ column: HEADERS, key: null }],
    sourceSchema: schema(
      source.schema.columns.filter(({ role }) => role === 'key' || role === 'value'),
    ),
    schema: schema([...read, ...PLACE]),
    materialized: false,
  };
}

function outputSteps(
  output: string,
  { name, kind, topic, partitions, keyFormat, valueFormat, window, timestamp, ...sink }: Source,
  input: string,
  id: number,
): readonly [OutputStep, SinkStep] {
  const written = schema(
    sink.schema.columns.filter(({ role }) => role === 'key' || role === 'value'),
  );
  return [
    { step: 'output', id: `${id}`, input, schema: written, output },
    {
      step: 'sink',
      id: `${id + 1}`,
      input: `${id}`,
      schema: written,
      sink: name,
      kind,
      topic,
      partitions,
      keyFormat,
      valueFormat,
      window,
      timestamp,
    },
  ];
}

interface StateOf {
  readonly processor: string;
  readonly query: PersistentQuery;
  readonly partitions: number;
  readonly catalog: Catalog;
}

/** A state table as the catalog has it: without a topic, and nobody else writes it. */
function stateSource(
  { name: table, columns }: ProcessorState,
  { processor, query, partitions, catalog }: StateOf,
): Source {
  const name = `${processor}_${table}`;
  if (catalog.sources.has(name)) {
    const message = `${name} exists already: the processor ${processor} would keep its table ${table} under that name`;
    throw new StatementError('ALREADY_EXISTS', message);
  }
  const format = { format: 'JSON', options: [], wrap: true };
  const rows: Schema = schema([
    ...columns.key.map((column): SchemaColumn => ({
      name: column.name,
      type: column.type,
      role: 'key',
    })),
    ...columns.value.map((column): SchemaColumn => ({
      name: column.name,
      type: column.type,
      role: 'value',
    })),
  ]);
  return {
    name,
    kind: 'table',
    topic: '',
    partitions,
    schema: rows,
    keyFormat: format,
    valueFormat: format,
    window: null,
    timestamp: null,
    headers: [],
    readOnly: true,
    query: query.id,
    statement: query.statement,
    processor,
  };
}

function materialized(table: string, source: Source): MaterializedTable {
  const { schema: rows, keyFormat } = source;
  return {
    subtopology: 0,
    table,
    schema: rows,
    window: null,
    after: [],
    keyFormat,
    holds: 'row',
    everywhere: true,
  };
}
