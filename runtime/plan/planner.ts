// Turns an analyzed query into steps: columns pruned, arguments computed ahead, repartitions placed; knows no operator.

import { assert, exhaustive } from '../base/assert.ts';
import type { Aggregation, QueryAnalysis } from '../analyze/analysis.ts';
import type { Source } from '../catalog/source.ts';
import { type Schema, schema, type SchemaColumn } from '../data/schema.ts';
import { columnsRead, type Expr } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { asValues, picked, positions, typeAt, unmoved } from './columns.ts';
import { internalTopic, keepsKey, repartitionFormat } from './grouping.ts';
import { feedingSource, type LogicalNode, logicalPlan } from './logical.ts';
import { lowered, type PlanningOptions } from './lower.ts';
import { RARE_NODES } from './parts.ts';
import { type Layout, remapped } from './remap.ts';
import {
  type MaterializedTable,
  type Plan,
  PLAN_VERSION,
  type Step,
  type StepId,
  type Subtopology,
} from './step.ts';

/**
 * The physical plan of a query: plain JSON.
 * @throws {StatementError} UNSUPPORTED when `options.path` asks for a kernel that cannot do it
 */
export function planQuery(analysis: QueryAnalysis, options: PlanningOptions): Plan {
  return new Planner(analysis, options).plan();
}

/** A node's step and where the columns of its logical schema stand in what the step emits. */
export interface Built {
  readonly id: StepId;
  readonly schema: Schema;
  readonly layout: Layout;
}

/** Builds the steps of one plan, in the order of the flow. */
class Planner {
  readonly #analysis: QueryAnalysis;
  readonly #options: PlanningOptions;
  readonly #finished: Subtopology[] = [];
  readonly #internalTopics: { name: string; partitions: number }[] = [];
  #steps: Step[] = [];
  #partitions: number;
  /** What the plans of rarer nodes need of this one. */
  readonly #tools = {
    build: (node: LogicalNode, needed: ReadonlySet<number>) => this.#build(node, needed),
    add: (step: Step) => this.#steps.push(step),
    id: () => this.#id(),
  };
  #nextId = 1;
  #fused: Plan['fused'] = { fused: true, why: 'nothing is repartitioned' };
  /** The state that pull queries read, as far as it is known, and the steps behind it. */
  #state: (Omit<MaterializedTable, 'after' | 'pending'> & { pending?: StepId | undefined }) | null =
    null;
  #after: StepId[] = [];

  constructor(analysis: QueryAnalysis, options: PlanningOptions) {
    this.#analysis = analysis;
    this.#options = options;
    this.#partitions = analysis.source.partitions;
  }

  plan(): Plan {
    const { id, mode, statement, from, emission } = this.#analysis;
    const idleMs = emission?.idleMs ?? null;
    this.#build(logicalPlan(this.#analysis), new Set());
    this.#finish();
    return {
      version: PLAN_VERSION,
      query: id,
      kind: mode,
      statement,
      internalTopics: this.#internalTopics,
      subtopologies: this.#finished,
      materialized:
        this.#state === null || mode !== 'persistent'
          ? null
          : { ...this.#state, after: this.#after },
      fused: this.#fused,
      from,
      ...(idleMs === null ? {} : { idleMs }),
    };
  }

  #id(): StepId {
    return String(this.#nextId++);
  }

  #finish(): void {
    this.#finished.push({
      id: this.#finished.length,
      steps: this.#steps,
      partitions: this.#partitions,
    });
    this.#steps = [];
  }

  /** @param needed positions in the node's logical schema that what follows reads */
  #build(node: LogicalNode, needed: ReadonlySet<number>): Built {
    switch (node.node) {
      case 'source':
        return this.#source(node.source, node.row, needed);
      case 'filter':
        return this.#filter(node, needed);
      case 'repartition':
        return RARE_NODES.code.planRepartition(node, needed, this.#tools);
      case 'flatMap':
        return RARE_NODES.code.planFlatMap(node, needed, this.#tools);
      case 'aggregate':
        return this.#aggregate(node.input, node.aggregation);
      case 'project':
        return this.#project(node);
      case 'sink':
        return this.#sink(node);
      case 'stage': {
        const { id: input, schema: emitted, layout } = this.#build(node.input, needed);
        const id = this.#id();
        this.#steps.push({ ...node.step, id, input, schema: emitted });
        if (node.step.step === 'suppress' && this.#state !== null) this.#state.pending = id;
        return { id, schema: emitted, layout };
      }
      default:
        return exhaustive(node);
    }
  }

  #source(source: Source, row: Schema, needed: ReadonlySet<number>): Built {
    const { aggregation, mode } = this.#analysis;
    const isTable = source.kind === 'table';
    // A table's rows are found by their keys; a stream's columns are decoded only where they are read.
    const kept = row.columns.flatMap((column, index) =>
      needed.has(index) ||
      (isTable &&
        (column.role === 'key' ||
          column.role === 'window' ||
          this.#options.keptColumns?.has(column.name) === true))
        ? [index]
        : [],
    );
    const emitted = picked(row, kept);
    const id = this.#id();
    const materialized = isTable && (aggregation !== null || mode === 'persistent');
    this.#steps.push({
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
      materialized,
    });
    if (materialized) {
      this.#materialize({
        table: id,
        schema: emitted,
        window: null,
        keyFormat: source.keyFormat,
        holds: 'row',
      });
    }
    return { id, schema: emitted, layout: positions(kept) };
  }

  #materialize(state: Omit<MaterializedTable, 'after' | 'subtopology'>): void {
    this.#state = { subtopology: this.#finished.length, ...state };
    this.#after = [];
  }

  #filter(node: LogicalNode & { readonly node: 'filter' }, needed: ReadonlySet<number>): Built {
    const input = this.#build(node.input, new Set([...needed, ...columnsRead(node.predicate)]));
    const id = this.#id();
    this.#steps.push({
      step: node.over === 'table' ? 'tableFilter' : 'filter',
      id,
      input: input.id,
      schema: input.schema,
      predicate: remapped(node.predicate, input.layout),
    });
    this.#after.push(id);
    return { ...input, id };
  }

  #aggregate(from: LogicalNode, aggregation: Aggregation): Built {
    const { keys, arguments: given } = aggregation;
    const source = feedingSource(from);
    let input = this.#build(from, new Set([...keys, ...given].flatMap(columnsRead)));
    let key = keys.map((expression) => remapped(expression, input.layout));
    let values = given.map((expression) => remapped(expression, input.layout));
    // Arguments are columns to the aggregation: what must be computed is computed ahead, and the key with it.
    if (values.some((expression) => expression.expr !== 'column')) {
      input = this.#precompute(input, [...key, ...values], aggregation);
      const emitted = input.schema;
      const column = (index: number): Expr => ({
        expr: 'column',
        index,
        type: typeAt(emitted, index),
      });
      values = values.map((_, index) => column(key.length + index));
      key = key.map((_, index) => column(index));
    }
    const carried = values.map((expression) => {
      assert(expression.expr === 'column', 'an argument is a column by now');
      return expression.index;
    });
    const keyColumns = aggregation.schema.columns.filter((column) => column.role === 'key');
    const emitted = schema([...keyColumns, ...asValues(input.schema, carried)]);
    const id = this.#id();
    this.#steps.push({
      step: 'rekey',
      id,
      input: input.id,
      schema: emitted,
      key,
      carried,
      dropNullKeys: true,
    });
    const keyFormat = repartitionFormat(this.#analysis.sink, source, keyColumns.length);
    const grouped = this.#exchange(id, emitted, keyFormat, keepsKey(aggregation, source));
    return this.#aggregateStep(grouped, emitted, aggregation, source, keyFormat);
  }

  #precompute(input: Built, expressions: readonly Expr[], aggregation: Aggregation): Built {
    const names = aggregation.schema.columns.filter((column) => column.role === 'key');
    const emitted = schema(
      expressions.map((expression, index): SchemaColumn => {
        const column =
          expression.expr === 'column' ? input.schema.columns[expression.index] : undefined;
        const name = names[index]?.name ?? column?.name ?? `ARGUMENT_${index - names.length}`;
        return { name, type: expression.type, role: 'value' };
      }),
    );
    const id = this.#id();
    this.#steps.push({ step: 'project', id, input: input.id, schema: emitted, expressions });
    return { id, schema: emitted, layout: new Map() };
  }

  /** Brings the rows of a group together; returns the id of the step to go on from. */
  #exchange(input: StepId, emitted: Schema, keyFormat: FormatSpec, kept: boolean): StepId {
    const count = this.#partitions;
    if (kept) {
      this.#fused = { fused: true, why: 'the grouping key is the key of the source' };
      return input;
    }
    if (count === 1 && this.#options.fuse === 'auto') {
      this.#fused = { fused: true, why: 'the source topic has one partition' };
      return input;
    }
    const why = count === 1 ? 'millrace.fuse is never' : `the source topic has ${count} partitions`;
    this.#fused = { fused: false, why: `GROUP BY changes the key and ${why}` };
    const id = this.#id();
    const topic = internalTopic(this.#analysis.id, id);
    this.#internalTopics.push({ name: topic, partitions: count });
    this.#steps.push({
      step: 'repartition',
      id,
      input,
      schema: emitted,
      topic,
      partitions: count,
      keyFormat,
    });
    this.#finish();
    const reading = this.#id();
    this.#steps.push({ step: 'internalSource', id: reading, topic, schema: emitted });
    return reading;
  }

  #aggregateStep(
    input: StepId,
    inputSchema: Schema,
    aggregation: Aggregation,
    source: Source,
    keyFormat: FormatSpec,
  ): Built {
    const { window } = aggregation;
    const keys = aggregation.keys.length;
    const calls = aggregation.calls.map((call) => ({
      ...call,
      arguments: call.arguments.map((argument) => keys + argument),
    }));
    const shape = { window, calls, old: false, over: source.kind };
    const id = this.#id();
    this.#steps.push({
      step: 'aggregate',
      id,
      input,
      schema: aggregation.schema,
      ...shape,
      run: lowered({ ...shape, input: inputSchema }, this.#options),
    });
    const format = keepsKey(aggregation, source) ? source.keyFormat : keyFormat;
    this.#materialize({
      table: id,
      schema: aggregation.schema,
      window,
      keyFormat: format,
      holds: 'aggregate',
    });
    return {
      id,
      schema: aggregation.schema,
      layout: unmoved(aggregation.schema),
    };
  }

  #project({ input: from, projection }: LogicalNode & { readonly node: 'project' }): Built {
    const input = this.#build(from, new Set(projection.expressions.flatMap(columnsRead)));
    const expressions = projection.expressions.map((expression) =>
      remapped(expression, input.layout),
    );
    const layout = unmoved(projection.schema);
    const id = this.#id();
    this.#steps.push({
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
    const input = this.#build(from, new Set());
    const id = this.#id();
    this.#steps.push({
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
