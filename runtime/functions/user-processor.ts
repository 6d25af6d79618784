// Builders of processors that users write: code over records, beside SQL, from a plain declaration; knows no catalog and no operator.

import type { RecordHeader } from '../data/record.ts';
import { type Type, typeText, type Value } from '../data/type.ts';
import { resolvedType, type ValueOf, type WrittenType } from './user-types.ts';

/**
 * Columns by name, with their types as SQL text. A name counts as it does in SQL: in any case, or as it is between backquotes.
 * In code it is what was written here.
 */
type Columns = Readonly<Record<string, WrittenType>>;

/** Key and value columns, of a state table or of a stream or table that is read. */
export interface TableColumns<K extends Columns, V extends Columns> {
  readonly key: K;
  readonly value: V;
}

type AnyTable = TableColumns<Columns, Columns>;

/** A row as code sees it, a value a column; the JavaScript types are those of functions (see `ValueOf`). */
type KeyOf<C extends Columns> = { readonly [N in keyof C]: ValueOf<C[N]> };
type RowOf<C extends Columns> = { readonly [N in keyof C]: ValueOf<C[N]> | null };

/** Names alone, or each with the columns that are read of it: the others are not decoded, and TypeScript knows their types. */
type Inputs = readonly string[] | Readonly<Record<string, AnyTable>>;
type Outputs = Readonly<Record<string, string>>;
type Tables = Readonly<Record<string, AnyTable>>;

/** One record of an input. */
export interface ProcessorRecord<S, K, V> {
  /** Its input, as `inputs` names it. */
  readonly source: S;
  /** The key columns; null each where the record has no key. Columns whose names need no quotes in SQL are in lower case. */
  readonly key: K;
  /** The value columns; null: the record has no value, which in a table deletes its key. */
  readonly value: V | null;
  /** Milliseconds since the Unix epoch. */
  readonly rowtime: number;
  readonly partition: number;
  readonly offset: number;
  readonly headers: readonly RecordHeader[];
}

/** A row of unknown columns: TypeScript is not told of its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- the catalog knows the types, and nobody at this place
type UntypedRow = Readonly<Record<string, any>>;

type RecordOf<I extends Inputs> = I extends readonly (infer S)[]
  ? ProcessorRecord<S, UntypedRow, UntypedRow>
  : {
      readonly [S in keyof I]: I[S] extends TableColumns<infer K, infer V>
        ? ProcessorRecord<S, RowOf<K>, RowOf<V>>
        : never;
    }[keyof I];

/** A state table of one partition, as code reads and writes it: at once, committed with everything else. */
export interface ProcessorTable<K extends Columns, V extends Columns> {
  /** The row of a key; null: there is none. */
  readonly get: (key: KeyOf<K>) => RowOf<V> | null;
  readonly set: (key: KeyOf<K>, value: RowOf<V>) => void;
  readonly delete: (key: KeyOf<K>) => void;
  /**
   * Rows in the order of their keys: all, or those whose first key columns have the given values. Read as it goes on, some at a time; rows
   * that are set meanwhile may be missed.
   */
  readonly scan: (
    first?: Partial<KeyOf<K>>,
  ) => Iterable<{ readonly key: KeyOf<K>; readonly value: RowOf<V> }>;
}

/** Values by column name, in any case; a column that is not named is null. */
export type EmittedRow = Readonly<Record<string, Value>>;

export interface EmitOptions {
  /** Milliseconds since the Unix epoch; absent: the record's, or the time that `onTime` was called for. */
  readonly rowtime?: number | undefined;
}

/** What code may see and do. Good until the call has returned. */
export interface ProcessorContext<O extends Outputs, S extends Tables> {
  readonly state: {
    readonly [T in keyof S]: S[T] extends TableColumns<infer K, infer V>
      ? ProcessorTable<K, V>
      : never;
  };
  /** Writes a row to an output; its key decides the partition. The record's headers go with it. */
  readonly emit: { readonly [N in keyof O]: (row: EmittedRow, options?: EmitOptions) => void };
  /** The time that replaces the clock, in ms since the Unix epoch: a replay gives the same. */
  readonly now: number;
  /** The greatest rowtime so far. */
  readonly streamTime: number;
  /** A number in [0, 1) that stands for chance: a replay gives the same. */
  readonly random: () => number;
}

export interface ProcessorDeclarationOf<I extends Inputs, O extends Outputs, S extends Tables> {
  /** A name as SQL has them, in any case. Another one is another processor, with state of its own. */
  readonly name: string;
  /** Streams and tables of the catalog. Several have as many partitions, and keys of the same types and format. */
  readonly inputs: I;
  /** Streams of the catalog by what code calls them; each over a topic of its own, none of them read. */
  readonly outputs?: O | undefined;
  /** Tables of state by name. Pull queries find them under `<PROCESSOR>_<TABLE>`. */
  readonly state?: S | undefined;
  /**
   * Takes one record. Synchronous, and the same for the same record and state: no clock, no chance, no variables that outlive the call.
   * What it throws is tried again and then sends the record to the dead letters; nothing of the attempt stays.
   */
  process(record: RecordOf<I>, context: ProcessorContext<O, S>): void;
  /** Of stream time: how often `onTime` is called at most, in ms. */
  readonly onTimeEveryMs?: number | undefined;
  /**
   * Called when stream time has come to a multiple of `onTimeEveryMs` or past it, before the record that moved it; once, for the last one,
   * where it has passed several.
   * @param ms that multiple
   */
  onTime?(ms: number, context: ProcessorContext<O, S>): void;
}

/** A column: as code calls it, and as SQL does. */
export interface ProcessorColumn {
  readonly property: string;
  readonly name: string;
  readonly type: Type;
}

export interface ProcessorColumns {
  readonly key: readonly ProcessorColumn[];
  readonly value: readonly ProcessorColumn[];
}

export interface ProcessorInput {
  readonly property: string;
  readonly source: string;
  /** null: all there are. */
  readonly columns: ProcessorColumns | null;
}

export interface ProcessorState {
  readonly property: string;
  /** What stands behind the processor's name in that of the table. */
  readonly name: string;
  readonly columns: ProcessorColumns;
}

/** The part of a declaration that state and outputs hang on, as plans keep it. Plain JSON: types as SQL text. */
export interface ProcessorDeclaration {
  readonly inputs: readonly {
    readonly source: string;
    readonly columns: readonly string[] | null;
  }[];
  /** Streams, by what code calls them, sorted. */
  readonly outputs: readonly (readonly [string, string])[];
  /** Columns, by table, sorted. */
  readonly state: readonly (readonly [string, readonly string[]])[];
}

/** A processor in code, for `open`, `registerProcessors` and tests. */
export interface Processor {
  readonly name: string;
  readonly inputs: readonly ProcessorInput[];
  readonly outputs: readonly { readonly property: string; readonly sink: string }[];
  readonly state: readonly ProcessorState[];
  /** null: `onTime` is never called. */
  readonly onTimeEveryMs: number | null;
  readonly declaration: ProcessorDeclaration;
  readonly process: (record: unknown, context: unknown) => unknown;
  readonly onTime: (ms: number, context: unknown) => unknown;
}

/** Declares a table of state. */
export function table<const K extends Columns, const V extends Columns>(
  columns: TableColumns<K, V>,
): TableColumns<K, V> {
  return columns;
}

/**
 * Declares a processor:
 *
 * ```ts
 * const fraud = processor({
 *   name: 'fraud',
 *   inputs: ['bets'],
 *   outputs: { alerts: 'alerts' },
 *   state: { totals: table({ key: { user: 'STRING' }, value: { n: 'BIGINT', total: 'DOUBLE' } }) },
 *   process(record, { state, emit }) {
 *     const { user } = record.key;
 *     const old = state.totals.get({ user });
 *     const total = (old?.total ?? 0) + record.value?.amount;
 *     state.totals.set({ user }, { n: (old?.n ?? 0n) + 1n, total });
 *     if (total > 1000) emit.alerts({ user, total });
 *   },
 * });
 * // open({ processors: [fraud] })
 * ```
 *
 * It is a query of the catalog, `PROCESSOR_<NAME>_<n>`: it begins once its streams and tables are there, at their earliest records, and goes
 * on from its last commit whenever the engine is opened with it. State, positions and outputs are one commit. Its code may change from one
 * opening to the next; inputs, outputs and state tables may not, without another name. TERMINATE ends it for good: under its name it does not
 * begin again.
 * @throws {TypeError} for a declaration without a name, an input or a type
 */
export function processor<
  const I extends Inputs,
  const O extends Outputs = Readonly<Record<string, never>>,
  const S extends Tables = Readonly<Record<string, never>>,
>(declared: ProcessorDeclarationOf<I, O, S>): Processor {
  const name = nameOf(declared.name);
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name))
    throw new TypeError(`'${declared.name}' is no name of a processor`);
  const { onTimeEveryMs: everyMs } = declared;
  if ((everyMs === undefined) !== (declared.onTime === undefined))
    throw new TypeError(`${name}: onTime and onTimeEveryMs come together`);
  if (everyMs !== undefined && !(Number.isSafeInteger(everyMs) && everyMs > 0))
    throw new TypeError(`${name}: onTimeEveryMs is a whole number of ms above 0`);
  const inputs = inputsOf(declared.inputs);
  if (inputs.length === 0) throw new TypeError(`${name} has no input`);
  const outputs = Object.entries(declared.outputs ?? {}).map(([property, sink]) => {
    return { property, sink: nameOf(sink) };
  });
  const state = Object.entries(declared.state ?? {}).map(([property, columns]) => {
    if (Object.keys(columns.key).length === 0)
      throw new TypeError(`${name}: the table ${property} has no key`);
    return { property, name: nameOf(property), columns: columnsOf(columns) };
  });
  refuseTwice(
    name,
    'input',
    inputs.map(({ source }) => source),
  );
  refuseTwice(
    name,
    'output',
    outputs.map(({ sink }) => sink),
  );
  refuseTwice(
    name,
    'state table',
    state.map((of) => of.name),
  );
  return {
    name,
    inputs,
    outputs,
    state,
    onTimeEveryMs: everyMs ?? null,
    declaration: {
      inputs: inputs.map(({ source, columns }) => {
        return { source, columns: columns === null ? null : textsOf(columns) };
      }),
      outputs: outputs.map(({ property, sink }) => [property, sink] as const).sort(byFirst),
      state: state.map((of) => [of.name, textsOf(of.columns)] as const).sort(byFirst),
    },
    process: (record, context) =>
      declared.process(record as RecordOf<I>, context as ProcessorContext<O, S>),
    onTime: (ms, context) => declared.onTime?.(ms, context as ProcessorContext<O, S>),
  };
}

/** @throws {TypeError} when two of them have one name: only one would run */
export function refuseSameNames(processors: readonly Processor[]): void {
  const names = new Set<string>();
  for (const { name } of processors) {
    if (names.has(name)) throw new TypeError(`two processors are called ${name}`);
    names.add(name);
  }
}

/** A name as SQL reads it. */
function nameOf(written: string): string {
  const quoted = /^`(.*)`$/s.exec(written)?.[1];
  return quoted === undefined ? written.toUpperCase() : quoted.replaceAll('``', '`');
}

function inputsOf(declared: Inputs): readonly ProcessorInput[] {
  const named: readonly (readonly [string, AnyTable | null])[] = isNames(declared)
    ? declared.map((property) => [property, null])
    : Object.entries(declared);
  return named.map(([property, columns]) => {
    const known = columns === null ? null : columnsOf(columns);
    return { property, source: nameOf(property), columns: known };
  });
}

function isNames(inputs: Inputs): inputs is readonly string[] {
  return Array.isArray(inputs);
}

function columnsOf({ key, value }: AnyTable): ProcessorColumns {
  const declared = (columns: Columns): ProcessorColumn[] =>
    Object.entries(columns).map(([property, written]) => {
      return { property, name: nameOf(property), type: resolvedType(written, [])([]) };
    });
  return { key: declared(key), value: declared(value) };
}

function textsOf({ key, value }: ProcessorColumns): readonly string[] {
  const text = (suffix: string) => (column: ProcessorColumn) =>
    `${column.name} ${typeText(column.type)}${suffix}`;
  return [...key.map(text(' KEY')), ...value.map(text(''))];
}

function refuseTwice(name: string, what: string, names: readonly string[]): void {
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) throw new TypeError(`${name}: ${what} ${twice} is named twice`);
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
