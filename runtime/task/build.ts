// The only place where steps meet operators: a sub-topology becomes readers, operators and outputs, wired; knows no port.

import { assert, exhaustive, existing } from '../base/assert.ts';
import type { Batch } from '../data/batch.ts';
import type { RecordHeader } from '../data/record.ts';
import type { Schema } from '../data/schema.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Holders } from '../operators/holders.ts';
import { kernelAggregate } from '../operators/kernel-aggregate.ts';
import type {
  Emit,
  Holding,
  LogicalTime,
  Operator,
  OperatorContext,
  RowProblem,
  StreamTime,
} from '../operators/operator.ts';
import {
  AGGREGATE,
  FLAT_MAP,
  JOINS,
  PROCESS,
  RARE_OPERATORS,
  RARER_ROWS,
  TABLES,
} from '../operators/parts.ts';
import { project } from '../operators/project.ts';
import { rekey } from '../operators/rekey.ts';
import type {
  ClientStep,
  InternalSourceStep,
  RepartitionStep,
  SinkStep,
  SourceStep,
  Step,
  StepId,
  Subtopology,
} from '../plan/step.ts';
import type { StateReader } from '../ports/store.ts';
import type { Current } from './current.ts';
import { readerOf, type Reader } from './input.ts';
import type { Merging, Pairing } from './pair.ts';
import { REPARTITION, RUNS } from './parts.ts';
import type { Sharing } from './sharing.ts';
import { SinkWriter, type Output } from './sink.ts';

/** What is at hand, and who may hold rows of it back. */
export type CurrentRows = Holding & Pick<Current, 'begin' | 'turn' | 'moment' | 'headers'>;

export interface BuildContext {
  readonly partition: number;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  /** null: a plan whose steps run in the kernel cannot be built. */
  readonly kernel: WebAssembly.Module | null;
  readonly state: StateReader;
  readonly internalChecksums: boolean;
  /** null: no other task of this process reads the same. */
  readonly sharing: Sharing | null;
  readonly streamTime: (step: StepId) => StreamTime;
  readonly report: (problem: RowProblem) => void;
  readonly count: (name: string, by: number) => void;
  readonly current: CurrentRows;
  readonly time: () => LogicalTime;
  readonly client: (batch: Batch) => void;
}

export interface Wiring {
  /** Per input of the task those of its source steps, in their order. */
  readonly readers: readonly (readonly Reader[])[];
  /** Sends what an input's readers made of its records through the graph, synchronously, depth first. */
  readonly feed: (input: number, batches: readonly (Batch | null)[]) => void;
  /** In the order of the flow. */
  readonly operators: readonly Operator[];
  /** What each of them emits to. */
  readonly emits: readonly Emit[];
  readonly outputs: readonly Output[];
  /** Emits what operators have held back. */
  readonly settle: () => void;
  /** Schemas of the encoded batches that go to internal topics. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** Per input: true for a user topic, whose records count as the query's input. */
  readonly countsInput: readonly boolean[];
  /** null: what several inputs have is fed run by run. */
  readonly pair: Merging | null | undefined;
}

interface Input {
  readonly isUser: boolean;
  readonly readers: Reader[];
  readonly sources: Emit[];
}

/** Steps that go on with the last row of each key alone, as of no record. */
export const LAST_KEPT = /cache|coalesce|suppress/u;

type Ending = RepartitionStep | SinkStep | ClientStep;
type Inner = Exclude<Step, SourceStep | InternalSourceStep | Ending>;

/**
 * Wires the steps of a sub-topology.
 * @throws {PartMissing}; {InvariantError} when the plan is not one that the planner makes
 */
export function buildTask(part: Subtopology, context: BuildContext): Wiring {
  return new Builder(part, context).wiring();
}

class Builder {
  readonly #part: Subtopology;
  readonly #context: BuildContext;
  /** By topic: a task reads one partition of each. */
  readonly #inputs = new Map<string, Input>();
  readonly #operators: Operator[] = [];
  readonly #emits: Emit[] = [];
  readonly #outputs: Output[] = [];
  readonly #schemas = new Map<string, Schema>();
  /** What each step emits to, filled as consumers are added. */
  readonly #consumers: ReadonlyMap<StepId, Emit[]>;
  readonly #schemasOf: ReadonlyMap<StepId, Schema>;
  /** null: no operator holds rows back. */
  #holders: Holders | null = null;
  /** null: nothing is joined. */
  readonly #pairing: Pairing | null;

  constructor(planned: Subtopology, context: BuildContext) {
    const hasJoin = planned.steps.some((step) => 'right' in step);
    this.#pairing = hasJoin ? new RUNS.code.Pairing(planned, context) : null;
    this.#context = this.#pairing?.context ?? context;
    const part = this.#pairing?.part ?? planned;
    this.#part = part;
    this.#consumers = new Map(part.steps.map(({ id }) => [id, []]));
    this.#schemasOf = new Map(part.steps.map(({ id, schema }) => [id, schema]));
    // In the order of the flow, which is the order in which the consumers of a step get its rows.
    for (const step of part.steps) this.#add(step);
  }

  #add(step: Step): void {
    const emit = emitTo(this.#consumers.get(step.id) ?? []);
    switch (step.step) {
      case 'source':
      case 'internalSource': {
        let input = this.#inputs.get(step.topic);
        if (input === undefined) this.#inputs.set(step.topic, (input = newInput(step)));
        const { formats } = this.#context;
        input.readers.push(readerOf(step, formats, { ...this.#context, ...this.#part }));
        input.sources.push(
          step.step === 'source' && step.materialized ? this.#materialized(step, emit) : emit,
        );
        return;
      }
      case 'repartition':
      case 'sink':
      case 'client':
        this.#consume(step.input, this.#ending(step));
        return;
      default: {
        const inputs =
          'input' in step
            ? [step.input]
            : step.step === 'process'
              ? step.inputs
              : JOINS.code.inputsOf(step);
        const schemas = inputs.map((input) => this.#schemasOf.get(input) ?? step.schema);
        const operator = operatorOf(step, schemas, this.#context, this.#part);
        this.#operate(operator, emit);
        this.#pairing?.built(step.id, inputs, operator, emit);
        if (operator.settle !== undefined) {
          this.#holders ??= new JOINS.code.Holders(this.#part.steps);
          this.#holders.add(operator, step.id);
        }
        for (const [side, input] of inputs.entries())
          this.#consume(input, (batch) => operator.process(side, batch, emit));
        const window = step.step === 'aggregate' ? step.window : null;
        if (step.step === 'aggregate' && (window?.expires === true || window?.type === 'SLIDING')) {
          const given = operatorContext(step, this.#context, this.#part.steps);
          const kept = RARE_OPERATORS.code.retention(step, window, given);
          this.#consume(step.id, this.#operate(kept, emit));
        }
      }
    }
  }

  #materialized(step: SourceStep, emit: Emit): Emit {
    const context = this.#context;
    const operator = TABLES.code.materialize(
      step,
      step.schema,
      operatorContext(step, context),
      context.registry,
    );
    return this.#operate(operator, emit);
  }

  #operate(operator: Operator, emit: Emit): Emit {
    this.#operators.push(operator);
    this.#emits.push(emit);
    return (batch) => operator.process(0, batch, emit);
  }

  #ending(step: Ending): Emit {
    const { formats, partition, client, report, count, internalChecksums, current } = this.#context;
    switch (step.step) {
      case 'client':
        return client;
      case 'repartition': {
        const writer = new REPARTITION.code.RepartitionWriter(step, formats, {
          fallbackPartition: partition % step.partitions,
          checksum: internalChecksums,
          current,
        });
        this.#schemas.set(step.topic, step.schema);
        this.#outputs.push(writer);
        return writer.write;
      }
      case 'sink': {
        const writer = new SinkWriter(step, formats, {
          fallbackPartition: partition % step.partitions,
          headers: this.#headers(),
          report,
          count,
        });
        this.#outputs.push(writer);
        return writer.write;
      }
      default:
        return exhaustive(step);
    }
  }

  /** Headers go on with the rows that their record makes, as in Kafka Streams; a topic between tasks carries none. */
  #headers(): ((origin: number) => readonly RecordHeader[]) | null {
    return this.#part.steps.some(({ step }) => step === 'internalSource')
      ? null
      : (origin) => this.#context.current.headers(origin);
  }

  #consume(input: StepId, consumer: Emit): void {
    existing(this.#consumers.get(input), 'step').push(consumer);
  }

  wiring(): Wiring {
    const inputs = [...this.#inputs.values()];
    const topics = [...this.#inputs.keys()];
    const holders = this.#holders;
    return {
      readers: inputs.map(({ readers }) => readers),
      settle: () => holders?.settle(),
      feed: (input, batches) => {
        const sources = inputs[input]?.sources ?? [];
        holders?.before(topics[input] ?? '');
        if (this.#part.rowByRow === true)
          JOINS.code.eachRow(batches, (reader, row) => sources[reader]?.(row));
        else batches.forEach((batch, reader) => batch !== null && sources[reader]?.(batch));
      },
      operators: this.#operators,
      emits: this.#emits,
      outputs: this.#outputs,
      schemas: this.#schemas,
      countsInput: inputs.map(({ isUser }) => isUser),
      pair: this.#pairing?.pair(),
    };
  }
}

function newInput({ step }: SourceStep | InternalSourceStep): Input {
  return { isUser: step === 'source', readers: [], sources: [] };
}

/** One consumer is called directly; it is the rule. */
function emitTo(consumers: readonly Emit[]): Emit {
  return (batch) => {
    for (const consumer of consumers) consumer(batch);
  };
}

function operatorOf(
  step: Inner,
  inputs: readonly Schema[],
  context: BuildContext,
  { steps, rowByRow }: Subtopology,
): Operator {
  const { registry } = context;
  const [input = step.schema] = inputs;
  const given = {
    ...operatorContext(step, context, steps),
    holding: rowByRow === true ? undefined : context.current,
  };
  switch (step.step) {
    case 'filter':
      return RARER_ROWS.code.filter(step, input, given, registry);
    case 'project':
      return project(step, input, given, registry);
    case 'flatMap':
      return FLAT_MAP.code.flatMap(step, input, given, registry);
    case 'aggregate': {
      if (step.window?.type === 'SESSION')
        return RARE_OPERATORS.code.sessionAggregate(step, input, given, registry, context.kernel);
      if (step.window?.type === 'SLIDING')
        return RARE_OPERATORS.code.slidingAggregate(step, input, given, registry);
      if (step.run.path === 'row') return AGGREGATE.code.aggregate(step, input, given, registry);
      assert(context.kernel !== null, 'the host has a kernel');
      const isLastKept = steps.some(
        (next) => LAST_KEPT.test(next.step) && 'input' in next && next.input === step.id,
      );
      const output = isLastKept ? 'groups' : 'rows';
      return kernelAggregate(step, input, given, registry, context.kernel, output);
    }
    case 'suppress':
      return RARE_OPERATORS.code.suppress(step, input, given, registry);
    case 'coalesce':
      return RARE_OPERATORS.code.coalesce(step, input, given, registry);
    case 'cache':
      return RARE_OPERATORS.code.cache(step, steps);
    case 'tableFilter':
      return TABLES.code.tableFilter(step, input, given, registry, steps.some(hasSessions));
    case 'rekey':
      // What few of its rows ask of it is fetched now, not when the first of them comes.
      if (!step.dropNullKeys || steps.some(makesTableRows)) void RARER_ROWS.code;
      return rekey(step, input, given, registry);
    case 'materialize':
      return TABLES.code.materialize(step, input, given, registry);
    case 'process':
    case 'output':
      return PROCESS.code.processing(step, inputs, { context: given, registry, steps });
    default:
      return JOINS.code.join(step, inputs, { context: given, registry, steps });
  }
}

function hasSessions(step: Step): boolean {
  return (step.step === 'source' || step.step === 'aggregate') && step.window?.type === 'SESSION';
}

/** Whether rows come from the step that take others back. */
function makesTableRows(step: Step): boolean {
  return step.step === 'source' ? step.kind === 'table' : /join|foreign/i.test(step.step);
}

/** @param steps of its sub-topology: where a client gets the rows, nobody asks for the state */
function operatorContext(
  step: Step,
  context: BuildContext,
  steps: readonly Step[] = [],
): OperatorContext {
  return {
    isPrivate: steps.some((other) => other.step === 'client'),
    state: context.state,
    streamTime: context.streamTime(step.id),
    report: context.report,
    count: context.count,
    time: context.time,
  };
}
