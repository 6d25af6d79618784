// A catalog that statements change one after another, for tests of analysis and planning; knows no engine.
import type {
  Analysis,
  AnalyzeOptions,
  PullAnalysis,
  QueryAnalysis,
} from '../../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../../runtime/analyze/analyze.ts';
import { StatementError } from '../../../runtime/base/errors.ts';
import { Catalog } from '../../../runtime/catalog/catalog.ts';
import { BIGINT, DOUBLE, INTEGER, STRING, type Type } from '../../../runtime/data/type.ts';
import type { Format, Formats } from '../../../runtime/formats/serde.ts';
import { createRegistry } from '../../../runtime/functions/create-registry.ts';
import type { FunctionRegistry, Overload, Pattern } from '../../../runtime/functions/registry.ts';
import { planningOptions } from '../../../runtime/plan/lower.ts';
import { planQuery } from '../../../runtime/plan/planner.ts';
import { planPull, type PullPlan } from '../../../runtime/plan/pull.ts';
import type { Plan } from '../../../runtime/plan/step.ts';
import { parse } from '../../../runtime/sql/parser.ts';

const of = (type: Type): Pattern => ({ pattern: 'type', type });
const any: Pattern = { pattern: 'any', variable: 'T' };

interface Declared {
  readonly name: string;
  readonly takes: readonly Pattern[];
  readonly gives: Type | 'first';
}

function parameters(takes: readonly Pattern[]): Overload['parameters'] {
  return takes.map((pattern, index) => ({ name: `p${index}`, pattern, variadic: false }));
}

function returned(gives: Type | 'first'): (types: readonly Type[]) => Type {
  return (types) => (gives === 'first' ? (types[0] ?? STRING) : gives);
}

function aggregate({ name, takes, gives, undo }: Declared & { readonly undo: boolean }): Overload {
  return {
    kind: 'aggregate',
    name,
    category: 'AGGREGATE',
    description: '',
    parameters: parameters(takes),
    returns: returned(gives),
    body: () => ({
      cells: [BIGINT],
      initial: () => [0n],
      add: () => undefined,
      undo: undo ? () => undefined : null,
      merge: null,
      result: (cells) => cells[0] ?? null,
    }),
  };
}

function scalar({ name, takes, gives }: Declared): Overload {
  return {
    kind: 'scalar',
    name,
    category: 'OTHER',
    description: '',
    parameters: parameters(takes),
    returns: returned(gives),
    nullPropagating: true,
    body: () => (values) => values[0] ?? null,
  };
}

/** Enough functions to plan with; what they compute is of no matter here. */
export const registry: FunctionRegistry = createRegistry([
  aggregate({ name: 'COUNT', takes: [], gives: BIGINT, undo: true }),
  aggregate({ name: 'COUNT', takes: [any], gives: BIGINT, undo: true }),
  ...[INTEGER, BIGINT, DOUBLE].flatMap((type) => [
    aggregate({ name: 'SUM', takes: [of(type)], gives: type, undo: true }),
    aggregate({ name: 'MAX', takes: [of(type)], gives: type, undo: false }),
    aggregate({ name: 'AVG', takes: [of(type)], gives: DOUBLE, undo: true }),
  ]),
  aggregate({
    name: 'COLLECT_LIST',
    takes: [any],
    gives: { kind: 'ARRAY', item: STRING },
    undo: true,
  }),
  scalar({ name: 'LEN', takes: [of(STRING)], gives: INTEGER }),
  scalar({ name: 'UCASE', takes: [of(STRING)], gives: STRING }),
  scalar({ name: 'ABS', takes: [of(DOUBLE)], gives: DOUBLE }),
  scalar({ name: 'AS_VALUE', takes: [any], gives: 'first' }),
]);

function format(name: string, refuse: Format['refuse']): readonly [string, Format] {
  const unused = (): never => {
    throw new Error('no bytes here');
  };
  return [name, { name, refuse, decoder: unused, encoder: unused }];
}

/** Formats that only refuse. */
export const formats: Formats = new Map([
  format('JSON', () => null),
  format('DELIMITED', (columns) => {
    const nested = columns.find((column) => ['ARRAY', 'MAP', 'STRUCT'].includes(column.type.kind));
    return nested === undefined ? null : `DELIMITED cannot hold ${nested.name}`;
  }),
  format('KAFKA', (columns) => (columns.length > 1 ? 'KAFKA holds a single column' : null)),
  format('NONE', (columns) => (columns.length > 0 ? 'NONE holds no columns' : null)),
]);

/** Runs DDL against a catalog and plans queries, as an engine would. */
export class Session {
  catalog = Catalog.empty;
  readonly properties: Map<string, string>;
  readonly kernelAvailable: boolean;
  readonly plans = new Map<string, Plan>();
  #queryNumber = 0;

  constructor(properties: Readonly<Record<string, string>> = {}, kernelAvailable = true) {
    this.properties = new Map(Object.entries(properties));
    this.kernelAvailable = kernelAvailable;
  }

  get options(): AnalyzeOptions {
    return {
      catalog: this.catalog,
      registry,
      formats,
      properties: this.properties,
      queryNumber: this.#queryNumber,
    };
  }

  /** Analyzes each statement and applies it to the catalog; returns the last analysis. */
  run(sql: string): Analysis {
    let last: Analysis | null = null;
    for (const statement of parse(sql)) {
      last = analyzeStatement(statement, this.options);
      this.#apply(last);
    }
    if (last === null) throw new Error('no statement');
    return last;
  }

  #apply(analysis: Analysis): void {
    if (analysis.kind === 'createSource') this.catalog = this.catalog.withSource(analysis.source);
    if (analysis.kind === 'createType')
      this.catalog = this.catalog.withType(analysis.name, analysis.type);
    if (analysis.kind === 'dropSource')
      this.catalog = this.catalog.withoutSource(analysis.source.name);
    if (analysis.kind !== 'query') return;
    this.plans.set(analysis.id, this.#planned(analysis));
    if (analysis.query === null || analysis.sink === null) return;
    if (analysis.creates) this.catalog = this.catalog.withSource(analysis.sink);
    this.catalog = this.catalog.withQuery(analysis.query);
    this.#queryNumber++;
  }

  #planned(analysis: QueryAnalysis): Plan {
    return planQuery(analysis, planningOptions(this.properties, this.kernelAvailable));
  }

  /** The plan of the last statement, which is a query. */
  plan(sql: string): Plan {
    const analysis = this.run(sql);
    const plan = analysis.kind === 'query' ? this.plans.get(analysis.id) : undefined;
    if (plan === undefined) throw new Error('the last statement is no query');
    return plan;
  }

  /** The plan of the last statement, which is a pull query. */
  pull(sql: string): PullPlan {
    const analysis = this.run(sql);
    if (analysis.kind !== 'pull') throw new Error('the last statement is no pull query');
    return planPull(analysis, this.#writer(analysis));
  }

  #writer(analysis: PullAnalysis): Plan {
    const plan = this.plans.get(analysis.source.query ?? '');
    if (plan === undefined) throw new Error('no plan writes it');
    return plan;
  }

  /** The error that the last statement is refused with: `CODE line:column message`. */
  refusal(sql: string): string {
    try {
      this.run(sql);
    } catch (thrown) {
      if (thrown instanceof StatementError) return `${thrown.code} ${thrown.message}`;
      throw thrown;
    }
    throw new Error('nothing was refused');
  }
}
