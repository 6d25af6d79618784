// Faults at the borders of the ports, decided by a plan that a seed makes: crashes, lost replies, refusals, repeats; knows no task.

import { PortError } from '../base/errors.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';

/**
 * What happens at one operation of a port:
 * `crashBefore` the process dies and the operation does not happen; `crashAfter` it happens, and nobody hears of it; `unavailable` it is
 * refused; `lostReply` it happens and is answered as if refused; `repeat` it happens twice, as a network may deliver.
 */
export type Fault = 'none' | 'crashBefore' | 'crashAfter' | 'unavailable' | 'lostReply' | 'repeat';

export const FAULTS: readonly Fault[] = [
  'crashBefore',
  'crashAfter',
  'unavailable',
  'lostReply',
  'repeat',
];

/** Decides at each operation, by its name (`log.append`, `store.commit`, ...). */
export interface FaultPlan {
  at(operation: string): Fault;
}

/** No faults. */
export const NO_FAULTS: FaultPlan = { at: () => 'none' };

/** A stream of numbers in [0, 1) from a seed. Source: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A plan drawn from a seed: half of the kinds of fault are off in each seed, the others strike with a probability of their own, so that
 * some seeds are all crashes and others all lost replies.
 * @param probabilityMax of each kind, at each operation
 */
export function seededFaults(seed: number, probabilityMax = 0.05): FaultPlan {
  const random = seededRandom(seed);
  const chances = FAULTS.map((fault) => ({
    fault,
    chance: random() < 0.5 ? 0 : random() * probabilityMax,
  }));
  return {
    at: () => {
      let drawn = random();
      for (const { fault, chance } of chances) {
        if (drawn < chance) return fault;
        drawn -= chance;
      }
      return 'none';
    },
  };
}

/** One fault at the n-th operation (from 1) and none elsewhere: for trying every place in turn. */
export function faultAt(nth: number, fault: Fault): FaultPlan & { readonly operations: number } {
  let operations = 0;
  return {
    get operations() {
      return operations;
    },
    at: () => (++operations === nth ? fault : 'none'),
  };
}

/** One life of a process. After a crash its ports neither do nor answer anything more: what waits for them waits for ever. */
export class Life {
  readonly #plan: FaultPlan;
  readonly #onCrash: () => void;
  #isOver = false;

  constructor(plan: FaultPlan, onCrash: () => void) {
    this.#plan = plan;
    this.#onCrash = onCrash;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the life as a power cut would. */
  crash(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onCrash();
  }

  log(log: Log): Log {
    const appendAll = log.appendAll?.bind(log);
    return {
      create: (...given) => this.#run('log.create', () => log.create(...given), false),
      remove: (...given) => this.#run('log.remove', () => log.remove(...given), false),
      describe: (...given) => this.#run('log.describe', () => log.describe(...given)),
      list: () => this.#run('log.list', () => log.list()),
      // Without a producer's stamp a second delivery is a second record: only stamped appends may be repeated.
      append: (at, bytes, producer, incarnation) =>
        this.#run(
          'log.append',
          () => log.append(at, bytes, producer, incarnation),
          producer !== undefined,
        ),
      ...(appendAll !== undefined && {
        appendAll: (at, batches) => this.#run('log.appendAll', () => appendAll(at, batches)),
      }),
      read: (...given) => this.#run('log.read', () => log.read(...given)),
      bounds: (...given) => this.#run('log.bounds', () => log.bounds(...given)),
      offsetForTime: (...given) =>
        this.#run('log.offsetForTime', () => log.offsetForTime(...given)),
      trim: (...given) => this.#run('log.trim', () => log.trim(...given)),
      subscribe: (at, wake) => log.subscribe(at, () => (this.#isOver ? undefined : wake())),
    };
  }

  store(store: Store): Store {
    return {
      load: (...given) => this.#run('store.load', () => store.load(...given)),
      commit: (...given) => this.#run('store.commit', () => store.commit(...given), false),
      acknowledge: (...given) => this.#run('store.acknowledge', () => store.acknowledge(...given)),
      reader: (...given) => this.#run('store.reader', () => store.reader(...given)),
      rebuild: (...given) => this.#run('store.rebuild', () => store.rebuild(...given)),
      remove: (...given) => this.#run('store.remove', () => store.remove(...given)),
    };
  }

  async #run<T>(operation: string, work: () => Promise<T>, mayRepeat = true): Promise<T> {
    if (this.#isOver) return silence();
    const fault = this.#plan.at(operation);
    switch (fault) {
      case 'none':
        break;
      case 'crashBefore':
        this.crash();
        return silence();
      case 'unavailable':
        throw unavailable(operation);
      case 'crashAfter':
      case 'lostReply':
        // Whether it worked or was refused, nobody hears of it.
        await work().catch(() => undefined);
        if (fault === 'lostReply') throw unavailable(operation);
        this.crash();
        return silence();
      case 'repeat':
        if (mayRepeat) await work().catch(() => undefined);
        break;
    }
    const result = await work();
    // The life may have ended while the operation was under way.
    return this.#isOver ? silence() : result;
  }
}

function silence(): Promise<never> {
  return new Promise(() => undefined);
}

function unavailable(operation: string): PortError {
  return new PortError('UNAVAILABLE', `${operation} was not answered`);
}
