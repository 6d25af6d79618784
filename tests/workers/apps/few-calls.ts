// The edge on a platform that lets each request, and each event of a task, make few calls to objects, as Cloudflare does; one's own machine has no such limit.

import { createEdge, type EdgeEnv, Processor as Task } from '../../../edge/index.ts';
import { SLICE_CALLS_MAX } from '../../../runtime/base/limits.ts';

export { Catalog, Partition, Relay } from '../../../edge/index.ts';

/** Of a request, where Cloudflare has 1,000 and more: beyond what any statement or answer takes that comes to an end. */
const REQUEST_CALLS_MAX = 40;
/** Of an event of a task: what is under way when its slice ends may end. */
const EVENT_CALLS_MAX = SLICE_CALLS_MAX + 100;

class Budget {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  topUp(): void {
    this.#left = this.#most;
  }

  spend(): void {
    this.#left -= 1;
    if (this.#left >= 0) return;
    console.log(`OUT OF ${this.#most} CALLS`);
    throw new Error('Too many subrequests by single Worker invocation.');
  }
}

export class Processor extends Task {
  readonly #budget: Budget;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    const budget = new Budget(EVENT_CALLS_MAX);
    super(ctx, spending(env, budget));
    this.#budget = budget;
  }

  override wake(...wake: Parameters<Task['wake']>): ReturnType<Task['wake']> {
    this.#budget.topUp();
    return super.wake(...wake);
  }

  override alarm(): Promise<void> {
    this.#budget.topUp();
    return super.alarm();
  }
}

const edge = createEdge();

export default {
  fetch: (request, env, context) =>
    edge.fetch(request, spending(env, new Budget(REQUEST_CALLS_MAX)), context),
} satisfies ExportedHandler<EdgeEnv>;

/** The bindings of whoever has that budget. */
function spending(env: EdgeEnv, budget: Budget): EdgeEnv {
  const { PARTITION, PROCESSOR, RELAY, CATALOG } = env;
  const of = (namespace: DurableObjectNamespace): DurableObjectNamespace =>
    calling(namespace, (name, call) => {
      const made = call();
      if (name !== 'get') return made;
      return calling(made as DurableObjectStub, (_name, ask) => {
        budget.spend();
        return ask();
      });
    });
  return {
    ...env,
    PARTITION: of(PARTITION),
    PROCESSOR: of(PROCESSOR),
    RELAY: of(RELAY),
    CATALOG: of(CATALOG),
  };
}

/** The same object, whose methods are called by `through`. */
function calling<T extends object>(
  target: T,
  through: (name: string | symbol, call: () => unknown) => unknown,
): T {
  return new Proxy(target, {
    get: (of, name) => {
      const member: unknown = Reflect.get(of, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => through(name, () => Reflect.apply(member, of, args));
    },
  });
}
