// The operators of a task that hold rows back, and when each must let go of them; knows no join's rule.

import type { Step, StepId } from '../plan/step.ts';
import { inputsOf } from './join-inputs.ts';
import type { Operator } from './operator.ts';

interface Holder {
  readonly operator: Operator;
  /** The topics from which rows come to it. */
  readonly topics: ReadonlySet<string>;
}

/** In the order of the flow. */
export class Holders {
  readonly #steps: readonly Step[];
  readonly #holders: Holder[] = [];

  /** @param steps of the sub-topology */
  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  add(operator: Operator, step: StepId): void {
    this.#holders.push({ operator, topics: new Set(this.#topicsOf(step)) });
  }

  #topicsOf(id: StepId): readonly string[] {
    const step = this.#steps.find((candidate) => candidate.id === id);
    if (step === undefined) return [];
    if (step.step === 'source' || step.step === 'internalSource') return [step.topic];
    const inputs =
      'input' in step ? [step.input] : step.step === 'process' ? step.inputs : inputsOf(step);
    return inputs.flatMap((input) => this.#topicsOf(input));
  }

  /** Called before rows of a topic: those that come another way to where held rows go would overtake them. */
  before(topic: string): void {
    for (const { operator, topics } of this.#holders) if (!topics.has(topic)) operator.settle?.();
  }

  settle(): void {
    for (const { operator } of this.#holders) operator.settle?.();
  }
}
