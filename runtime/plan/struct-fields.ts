// Fields of STRUCT columns as columns of their own, where a task reads nothing else of them: only those are decoded. Knows no decoder.

import { JSON_COLUMNS_MAX } from '../base/limits.ts';
import { type Schema, schema, type SchemaColumn } from '../data/schema.ts';
import { BIGINT } from '../data/type.ts';
import { type Expr, withOperands } from '../expr/expr.ts';
import type { SourceStep, Step, Subtopology } from './step.ts';

/** Steps whose columns hang on those of their input by expressions and positions alone. */
type Reading = Extract<Step, { readonly step: 'filter' | 'project' | 'rekey' | 'flatMap' }>;

/** A column, or a field of one by the names that lead to it. */
interface Chain {
  readonly index: number;
  readonly path: readonly string[];
}

/** A column that is a field. */
type Leaf = SchemaColumn & { readonly path: readonly string[] };

/** The same task, its streams of JSON reading fields instead of whole structs wherever that says the same. */
export function withFields(part: Subtopology): Subtopology {
  return part.steps.reduce(
    (whole, step) => (step.step === 'source' ? fieldsRead(whole, step) : whole),
    part,
  );
}

function fieldsRead(part: Subtopology, source: SourceStep): Subtopology {
  const { kind, valueFormat, sourceSchema, schema: read } = source;
  if (kind !== 'stream' || valueFormat.format !== 'JSON') return part;
  if (read.columns.every(({ type }) => type.kind !== 'STRUCT')) return part;
  const values = sourceSchema.columns.filter(({ role }) => role === 'value');
  const readers = readersOf(part, source);
  if (readers === null || (!valueFormat.wrap && values.length === 1)) return part;
  const leaves = leavesOf(read, readers);
  const added = [...leaves.values()].flat();
  const nodes = read.columns.length + added.flatMap(({ path }) => path).length;
  const isTaken = values.some(({ name }) => added.some((leaf) => leaf.name === name));
  if (added.length === 0 || isTaken || nodes > JSON_COLUMNS_MAX) return part;

  const columns: SchemaColumn[] = [];
  // Where the columns stand now; of a struct the first of its fields.
  const places = read.columns.map((column, index) => {
    const fields = leaves.get(index) ?? [column];
    return columns.push(...fields) - fields.length;
  });
  const emitted = schema(columns);
  const place = ({ index, path }: Chain): number => {
    const fields = leaves.get(index);
    const name = [read.columns[index]?.name, ...path].join('->');
    const at = fields?.findIndex((leaf) => leaf.name === name) ?? -path.length;
    return at < 0 ? -1 : (places[index] ?? 0) + at;
  };
  return {
    ...part,
    steps: part.steps.map((step): Step => {
      if (step === source) {
        const known = schema([...sourceSchema.columns, ...added]);
        return { ...source, sourceSchema: known, schema: emitted };
      }
      return readers.includes(step as Reading)
        ? mapped(step as Reading, emitted, (chain, of) => {
            const index = place(chain);
            return index < 0 ? null : { expr: 'column', index, type: of.type };
          })
        : step;
    }),
  };
}

/** What reads the source's columns, through filters too; null: something takes them as they are. */
function readersOf(part: Subtopology, source: SourceStep): readonly Reading[] | null {
  const passed = new Set<unknown>([source.id]);
  const open = new Set(passed);
  const readers: Reading[] = [];
  for (const step of part.steps) {
    const fed = Object.entries(step).flatMap(([name, value]) => (name === 'id' ? [] : value));
    if (step === source || !fed.some((value) => passed.has(value))) continue;
    if (!/^(?:filter|project|rekey|flatMap)$/u.test(step.step)) return null;
    const reading = step as Reading;
    open.delete(reading.input);
    if (step.step === 'filter') {
      passed.add(step.id);
      open.add(step.id);
    }
    readers.push(reading);
  }
  return open.size === 0 ? readers : null;
}

/** What becomes of a column or a field; null: its operands are looked at instead. */
type Change = (chain: Chain, of: Expr) => Expr | null;

/** The step over the changed columns of its input. */
function mapped(step: Reading, input: Schema, change: Change): Step {
  const over = (of: Expr): Expr => {
    const chain = chainOf(of);
    return (chain === null ? null : change(chain, of)) ?? withOperands(of, over);
  };
  const carried = (of: readonly number[]): number[] =>
    of.map((index) => {
      const moved = over({ expr: 'column', index, type: BIGINT });
      return moved.expr === 'column' ? moved.index : index;
    });
  switch (step.step) {
    case 'filter':
      return { ...step, schema: input, predicate: over(step.predicate) };
    case 'project':
      return { ...step, expressions: step.expressions.map(over) };
    case 'rekey':
      return { ...step, key: step.key.map(over), carried: carried(step.carried) };
    default:
      return {
        ...step,
        carried: carried(step.carried),
        calls: step.calls.map((call) => ({ ...call, arguments: call.arguments.map(over) })),
      };
  }
}

/** By position of a STRUCT column its fields that are read; columns of which more is read are left out. */
function leavesOf(of: Schema, readers: readonly Reading[]): ReadonlyMap<number, readonly Leaf[]> {
  const chains: Chain[] = [];
  for (const step of readers) {
    mapped(step, of, (chain, expression) => {
      chains.push(chain);
      return expression;
    });
  }
  const leaves = new Map<number, readonly Leaf[]>();
  of.columns.forEach((column, index) => {
    const read = chains.filter((chain) => chain.index === index).map(({ path }) => path);
    // A field within another that is read is a part of it.
    const least = read.filter((path, at) =>
      read.every(
        (other, place) => !isWithin(path, other) || (path.length === other.length && at <= place),
      ),
    );
    const found = least.map((path) => leafOf(column, path));
    if (column.role === 'value' && found.length > 0 && found.every((leaf) => leaf !== null))
      leaves.set(index, found);
  });
  return leaves;
}

function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((name, at) => name === path[at]);
}

/** The column that an expression is, or is a field of, and which one; null: it is something else. */
export function chainOf(of: Expr): Chain | null {
  if (of.expr === 'column') return { index: of.index, path: [] };
  if (of.expr !== 'field' || of.base.type.kind !== 'STRUCT') return null;
  const base = chainOf(of.base);
  const field = of.base.type.fields[of.field];
  return base && field ? { ...base, path: [...base.path, field.name] } : null;
}

/** null: it is no field, or which field a member means hangs on the others. */
function leafOf({ name, type: whole }: SchemaColumn, inner: readonly string[]): Leaf | null {
  let type = whole;
  for (const step of inner) {
    const fields = type.kind === 'STRUCT' ? type.fields : [];
    const names = new Set(fields.map((field) => field.name.toUpperCase()));
    const field = fields.find((candidate) => candidate.name === step);
    if (field === undefined || names.size < fields.length) return null;
    type = field.type;
  }
  const path = [name, ...inner];
  return inner.length === 0 ? null : { name: path.join('->'), type, role: 'value', path };
}
