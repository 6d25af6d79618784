// The only place where steps meet operators: a sub-topology becomes readers, operators and outputs, wired; knows no port.

import { exhaustive } from '../base/assert.ts';
import { InvariantError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { RecordHeader } from '../data/record.ts';
import type { Schema } from '../data/schema.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { filter } from '../operators/filter.ts';
import type {
  Emit,
  Operator,
  OperatorContext,
  RowProblem,
  StreamTime,
} from '../operators/operator.ts';
import {
  AGGREGATE,
  FLAT_MAP,
  KERNEL_AGGREGATE,
  MATERIALIZE,
  RARE_OPERATORS,
  TABLE_FILTER,
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
import { REPARTITION } from './parts.ts';
import { SinkWriter, type Output } from './sink.ts';

export interface BuildContext {
  readonly partition: number;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  /** null: a plan whose steps run in the kernel cannot be built. */
  readonly kernel: WebAssembly.Module | null;
  readonly state: StateReader;
  readonly internalChecksums: boolean;
  readonly streamTime: (step: StepId) => StreamTime;
  readonly report: (problem: RowProblem) => void;
  readonly count: (name: string, by: number) => void;
  readonly current: Current;
  readonly client: (batch: Batch) => void;
}

export interface Wiring {
  /** One per source step, in their order: the task's inputs. */
  readonly readers: readonly Reader[];
  /** Sends a batch of that input through the graph, synchronously, depth first. */
  readonly feed: (input: number, batch: Batch) => void;
  /** In the order of the flow. */
  readonly operators: readonly Operator[];
  /** What each of them emits to. */
  readonly emits: readonly Emit[];
  readonly outputs: readonly Output[];
  /** Schemas of the encoded batches that go to internal topics. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** true: its inputs are user topics, whose records count as the query's input. */
  readonly countsInput: boolean;
}

type Ending = RepartitionStep | SinkStep | ClientStep;
type Inner = Exclude<Step, SourceStep | InternalSourceStep | Ending>;

/**
 * Wires the steps of a sub-topology.
 * @throws {PartMissing}; {InvariantError} when the plan is not one that the planner makes
 */
export function buildTask(part: Subtopology, context: BuildContext): Wiring {
  const builder = new Builder(part, context);
  // Consumers are made before what feeds them is called, not before it is made: steps stand in the order of the flow.
  for (const step of part.steps) builder.add(step);
  return builder.wiring();
}

class Builder {
  readonly #part: Subtopology;
  readonly #context: BuildContext;
  readonly #readers: Reader[] = [];
  readonly #sources: Emit[] = [];
  readonly #operators: Operator[] = [];
  readonly #emits: Emit[] = [];
  readonly #outputs: Output[] = [];
  readonly #schemas = new Map<string, Schema>();
  /** What each step emits to, filled as consumers are added. */
  readonly #consumers = new Map<StepId, Emit[]>();
  readonly #steps = new Map<StepId, Step>();

  constructor(part: Subtopology, context: BuildContext) {
    this.#part = part;
    this.#context = context;
  }

  add(step: Step): void {
    this.#steps.set(step.id, step);
    const consumers: Emit[] = [];
    this.#consumers.set(step.id, consumers);
    const emit = emitTo(consumers);
    switch (step.step) {
      case 'source':
      case 'internalSource':
        this.#readers.push(readerOf(step, this.#context.formats, !this.#context.internalChecksums));
        this.#sources.push(
          step.step === 'source' && step.materialized ? this.#materialized(step, emit) : emit,
        );
        return;
      case 'repartition':
      case 'sink':
      case 'client':
        this.#consume(step.input, this.#ending(step));
        return;
      default: {
        const process = this.#operate(
          operatorOf(step, this.#schemaOf(step.input), this.#context),
          emit,
        );
        this.#consume(step.input, process);
        if (step.step === 'aggregate' && step.window?.expires === true) {
          const given = operatorContext(step, this.#context);
          const kept = RARE_OPERATORS.code.retention(step, step.window, given);
          consumers.push(this.#operate(kept, emit));
        }
      }
    }
  }

  #materialized(step: SourceStep, emit: Emit): Emit {
    const context = this.#context;
    const operator = MATERIALIZE.code.materialize(
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
    const { formats, partition, client, report, count, internalChecksums } = this.#context;
    switch (step.step) {
      case 'client':
        return client;
      case 'repartition': {
        const writer = new REPARTITION.code.RepartitionWriter(step, formats, {
          fallbackPartition: partition % step.partitions,
          checksum: internalChecksums,
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

  /** Headers go on with rows that are made of one record: through stateless steps from a user topic. */
  #headers(): ((origin: number) => readonly RecordHeader[]) | null {
    const isStateless = this.#part.steps.every(
      (step) => step.step !== 'aggregate' && step.step !== 'internalSource',
    );
    return isStateless ? (origin) => this.#context.current.headers(origin) : null;
  }

  #consume(input: StepId, consumer: Emit): void {
    const consumers = this.#consumers.get(input);
    if (consumers === undefined)
      throw new InvariantError(`step ${input} stands behind what it feeds`);
    consumers.push(consumer);
  }

  #schemaOf(id: StepId): Schema {
    const step = this.#steps.get(id);
    if (step === undefined) throw new InvariantError(`there is no step ${id}`);
    return step.schema;
  }

  wiring(): Wiring {
    return {
      readers: this.#readers,
      feed: (input, batch) => {
        const source = this.#sources[input];
        if (source === undefined) throw new InvariantError(`there is no input ${input}`);
        source(batch);
      },
      operators: this.#operators,
      emits: this.#emits,
      outputs: this.#outputs,
      schemas: this.#schemas,
      countsInput: this.#part.steps.every((step) => step.step !== 'internalSource'),
    };
  }
}

/** One consumer is called directly; it is the rule. */
function emitTo(consumers: readonly Emit[]): Emit {
  return (batch) => {
    for (const consumer of consumers) consumer(batch);
  };
}

function operatorOf(step: Inner, input: Schema, context: BuildContext): Operator {
  const { registry } = context;
  const given = operatorContext(step, context);
  switch (step.step) {
    case 'filter':
      return filter(step, input, given, registry);
    case 'project':
      return project(step, input, given, registry);
    case 'flatMap':
      return FLAT_MAP.code.flatMap(step, input, given, registry);
    case 'aggregate':
      if (step.window?.type === 'SESSION')
        return RARE_OPERATORS.code.sessionAggregate(step, input, given, registry);
      if (step.run.path === 'row') return AGGREGATE.code.aggregate(step, input, given, registry);
      if (context.kernel === null) {
        throw new InvariantError('the plan wants the kernel, and the host has none');
      }
      return KERNEL_AGGREGATE.code.kernelAggregate(step, input, given, registry, context.kernel);
    case 'suppress':
      return RARE_OPERATORS.code.suppress(step, input, given, registry);
    case 'coalesce':
      return RARE_OPERATORS.code.coalesce(step, input, given, registry);
    case 'tableFilter':
      return TABLE_FILTER.code.tableFilter(step, input, given, registry);
    case 'rekey':
      return rekey(step, input, given, registry);
    default:
      return exhaustive(step);
  }
}

function operatorContext(step: Step, context: BuildContext): OperatorContext {
  return {
    state: context.state,
    streamTime: context.streamTime(step.id),
    report: context.report,
    count: context.count,
    time: () => context.current.time,
  };
}
