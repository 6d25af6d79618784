// Turns an analyzed query into steps: columns pruned, arguments computed ahead, repartitions placed; knows no operator.

import { assert, exhaustive } from '../base/assert.ts';
import type { Aggregation, FromSource, QueryAnalysis } from '../analyze/analysis.ts';
import { type Schema, schema } from '../data/schema.ts';
import { columnsRead } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { asValues, picked, positions, unmoved } from './columns.ts';
import { type Built, PlanBuilder } from './builder.ts';
import { keepsKey, repartitionFormat } from './grouping.ts';
import { type LogicalNode, logicalPlan } from './logical.ts';
import { lowered, type PlanningOptions, withDecoders } from './lower.ts';
import { JOINS, RARE_NODES } from './parts.ts';
import { remapped } from './remap.ts';
import {
  type MaterializedTable,
  type Plan,
  PLAN_VERSION,
  type SourceStep,
  type StepId,
} from './step.ts';

/**
 * The physical plan of a query: plain JSON.
 * @throws {StatementError} UNSUPPORTED when `options.path` asks for a kernel that cannot do it
 */
export function planQuery(analysis: QueryAnalysis, options: PlanningOptions): Plan {
  return new Planner(analysis, options).plan();
}

/** State that pull queries read, as far as it is known. */
type Kept = Omit<MaterializedTable, 'after' | 'pending' | 'subtopology'> & {
  pending?: StepId | undefined;
};

/** Builds the steps of one plan, in the order of the flow. */
export class Planner extends PlanBuilder {
  readonly analysis: QueryAnalysis;
  readonly options: PlanningOptions;
  /** What pull queries read, and the steps behind it. */
  #state: Kept | null = null;
  #after: StepId[] = [];

  constructor(analysis: QueryAnalysis, options: PlanningOptions) {
    super(analysis.id, analysis.source.partitions);
    this.analysis = analysis;
    this.options = options;
  }

  plan(): Plan {
    const { id, mode, statement, from, emission } = this.analysis;
    const idleMs = emission?.idleMs ?? null;
    this.build(logicalPlan(this.analysis), new Set());
    this.finish();
    return {
      version: PLAN_VERSION,
      query: id,
      kind: mode,
      statement,
      internalTopics: this.internalTopics,
      subtopologies: withDecoders(this.finished, this.options),
      materialized: mode === 'persistent' ? this.#materialized() : null,
      fused: this.fused,
      from,
      ...(idleMs === null ? {} : { idleMs }),
      ...(this.options.strictTimestamps === true ? { strictTimestamps: true } : {}),
    };
  }

  #materialized(): MaterializedTable | null {
    const state = this.#state;
    if (state === null) return null;
    const subtopology = this.finished.findIndex(({ steps }) =>
      steps.some(({ id }) => id === state.table),
    );
    return { subtopology, ...state, after: this.#after };
  }

  /** Whether something asks for the rows of the table that the query reads: what aggregates them, or pull queries. */
  get keepsTable(): boolean {
    return this.analysis.aggregation !== null || this.analysis.mode === 'persistent';
  }

  /** @param needed positions in the node's logical schema that what follows reads */
  build(node: LogicalNode, needed: ReadonlySet<number>): Built {
    switch (node.node) {
      case 'from':
        return node.input.from === 'source'
          ? this.#onlySource(node.input, needed)
          : JOINS.code.buildJoin(this, node.input, needed);
      case 'filter':
        return RARE_NODES.code.buildFilter(this, node, needed);
      case 'repartition':
        return RARE_NODES.code.buildRekey(this, node, needed);
      case 'flatMap':
        return RARE_NODES.code.buildFlatMap(this, node, needed);
      case 'aggregate':
        return this.#aggregate(node.input, node.aggregation);
      case 'project':
        return this.#project(node);
      case 'sink':
        return this.#sink(node);
      case 'stage': {
        const { id: input, schema: emitted, layout } = this.build(node.input, needed);
        const id = this.id();
        this.part.steps.push({ ...node.step, id, input, schema: emitted });
        if (node.step.step === 'suppress' && this.#state !== null) this.#state.pending = id;
        return { id, schema: emitted, layout };
      }
      default:
        return exhaustive(node);
    }
  }

  #onlySource(input: FromSource, needed: ReadonlySet<number>): Built {
    const { source } = input;
    const isKept = source.kind === 'table' && this.keepsTable;
    const built = this.source(input, needed, { materialized: isKept });
    if (isKept) this.holdRows(built, source.keyFormat);
    return built;
  }

  /** Adds the step that reads a source. */
  source(
    { source, row }: FromSource,
    needed: ReadonlySet<number>,
    how: Pick<SourceStep, 'materialized' | 'from'>,
  ): Built {
    const isTable = source.kind === 'table';
    // A table's rows are found by their keys; a stream's columns are decoded only where they are read.
    const kept = row.columns.flatMap((column, index) =>
      needed.has(index) ||
      (isTable &&
        (column.role === 'key' ||
          column.role === 'window' ||
          this.options.keptColumns?.has(column.name) === true))
        ? [index]
        : [],
    );
    const emitted = picked(row, kept);
    const id = this.id();
    this.part.steps.push({
      step: 'source',
      id,
      source: source.name,
      kind: source.kind,
      topic: source.topic,
      keyFormat: source.keyFormat,
      valueFormat: source.valueFormat,
      window: source.window,
      timestamp: source.timestamp,
      headers: source.headers.filter((header) =>
        emitted.columns.some((column) => column.role === 'pseudo' && column.name === header.column),
      ),
      sourceSchema: schema(
        source.schema.columns.filter((column) => column.role === 'key' || column.role === 'value'),
      ),
      schema: emitted,
      ...how,
    });
    return { id, schema: emitted, layout: positions(kept) };
  }

  /** Says that the step keeps rows that pull queries find. */
  holdRows({ id, schema: kept }: Built, keyFormat: FormatSpec): void {
    this.#materialize({ table: id, schema: kept, window: null, keyFormat, holds: 'row' });
  }

  /** Says that the step passes on the rows that are kept, some of them. */
  noteFilter(id: StepId): void {
    this.#after.push(id);
  }

  #materialize(state: Kept): void {
    this.#state = state;
    this.#after = [];
  }

  #aggregate(from: LogicalNode, aggregation: Aggregation): Built {
    const { keys, arguments: given } = aggregation;
    const { source, sink } = this.analysis;
    let input = this.build(from, new Set([...keys, ...given].flatMap(columnsRead)));
    const kept = keepsKey(aggregation, source, input.layout);
    let key = keys.map((expression) => remapped(expression, input.layout));
    let values = given.map((expression) => remapped(expression, input.layout));
    // Arguments are columns to the aggregation: what must be computed is computed ahead, and the key with it.
    if (values.some((expression) => expression.expr !== 'column')) {
      ({ input, key, values } = RARE_NODES.code.precomputed(
        this,
        { input, key, values },
        aggregation,
      ));
    }
    const carried = values.map((expression) => {
      assert(expression.expr === 'column', 'an argument is a column by now');
      return expression.index;
    });
    const keyColumns = aggregation.schema.columns.filter((column) => column.role === 'key');
    const emitted = schema([...keyColumns, ...asValues(input.schema, carried)]);
    const id = this.id();
    this.part.steps.push({
      step: 'rekey',
      id,
      input: input.id,
      schema: emitted,
      key,
      carried,
      dropNullKeys: true,
    });
    const keyFormat = repartitionFormat(sink, source, keyColumns.length);
    const grouped = this.#exchange(id, emitted, keyFormat, kept);
    return this.#aggregateStep(grouped, emitted, aggregation, kept ? source.keyFormat : keyFormat);
  }

  /** Brings the rows of a group together; returns the id of the step to go on from. */
  #exchange(input: StepId, emitted: Schema, keyFormat: FormatSpec, kept: boolean): StepId {
    const count = this.part.partitions;
    if (kept) {
      this.noteFused({ fused: true, why: 'the grouping key is the key of the source' });
      return input;
    }
    if (count === 1 && this.options.fuse === 'auto') {
      this.noteFused({ fused: true, why: 'the source topic has one partition' });
      return input;
    }
    return RARE_NODES.code.exchange(this, { id: input, schema: emitted }, keyFormat);
  }

  #aggregateStep(
    input: StepId,
    inputSchema: Schema,
    aggregation: Aggregation,
    keyFormat: FormatSpec,
  ): Built {
    // Of a client's query nobody asks for windows that have closed.
    const window =
      this.analysis.sink === null && aggregation.window !== null
        ? { ...aggregation.window, expires: true as const }
        : aggregation.window;
    const keys = aggregation.keys.length;
    const calls = aggregation.calls.map((call) => ({
      ...call,
      arguments: call.arguments.map((argument) => keys + argument),
    }));
    const shape = { window, calls, old: false, over: this.analysis.source.kind };
    const id = this.id();
    this.part.steps.push({
      step: 'aggregate',
      id,
      input,
      schema: aggregation.schema,
      ...shape,
      run: lowered({ ...shape, input: inputSchema }, this.options),
    });
    this.#materialize({
      table: id,
      schema: aggregation.schema,
      window,
      keyFormat,
      holds: 'aggregate',
    });
    return {
      id,
      schema: aggregation.schema,
      layout: unmoved(aggregation.schema),
    };
  }

  #project({ input: from, projection }: LogicalNode & { readonly node: 'project' }): Built {
    const input = this.build(from, new Set(projection.expressions.flatMap(columnsRead)));
    const expressions = projection.expressions.map((expression) =>
      remapped(expression, input.layout),
    );
    const layout = unmoved(projection.schema);
    const id = this.id();
    this.part.steps.push({
      step: 'project',
      id,
      input: input.id,
      schema: projection.schema,
      expressions,
    });
    this.#after.push(id);
    return { id, schema: projection.schema, layout };
  }

  #sink({ input: from, sink }: LogicalNode & { readonly node: 'sink' }): Built {
    const input = this.build(from, new Set());
    const id = this.id();
    this.part.steps.push({
      step: 'sink',
      id,
      input: input.id,
      schema: input.schema,
      sink: sink.name,
      kind: sink.kind,
      topic: sink.topic,
      partitions: sink.partitions,
      keyFormat: sink.keyFormat,
      valueFormat: sink.valueFormat,
      window: sink.window,
      timestamp: sink.timestamp,
    });
    return { ...input, id };
  }
}
