// Named points at which an object dies as in a crash: before and after its methods, transactions, alarms and calls; never deployed.

import type { EdgeEnv } from '../../../edge/env.ts';
import type { ProducerStamp } from '../../../runtime/ports/log.ts';

/** What a torture run binds beside the edge's own. */
export interface TortureEnv extends EdgeEnv {
  /** Bound: objects die at failpoints, those whose names begin with one of these, separated by commas. */
  readonly FAILPOINTS?: string;
  /** How likely an object dies, 0 .. 1, at a point where many have. */
  readonly FAILPOINT_PROBABILITY?: string;
  /** The fault to be found. */
  readonly MUTANT?: string;
  /** Share of the wake-ups of processors that are lost, 0 .. 1. */
  readonly LOST_WAKES?: string;
}

/** How likely an object dies at a point where none has died since the process began. */
const FIRST_PROBABILITY = 0.05;
/** How likely at a point where many have, unless the binding says something else: enough to die again and again, rare enough to get on. */
const LAST_PROBABILITY = 0.002;
/** So long an object lives at least after another's death: the system must get on, or nothing is put to the test. */
const REST_MS = 30;

const deaths = new Map<string, number>();
let lastMs = 0;

/** Ends the object there, now and then; the harness counts the lines. Points that are reached rarely are preferred. */
export type Die = (point: string) => void;

/** The `die` of one object. */
export function dying(ctx: DurableObjectState, env: EdgeEnv): Die {
  const { FAILPOINTS: named, FAILPOINT_PROBABILITY: given } = env as TortureEnv;
  if (named === undefined) return () => {};
  const starts = named.split(',');
  const least = given === undefined ? LAST_PROBABILITY : Number(given);
  return (point) => {
    if (!starts.some((start) => point.startsWith(start)) || Date.now() < lastMs + REST_MS) return;
    const died = deaths.get(point) ?? 0;
    if (Math.random() >= Math.max(least, FIRST_PROBABILITY / (1 + died * died))) return;
    deaths.set(point, died + 1);
    lastMs = Date.now();
    console.log(`FAILPOINT ${point}`);
    ctx.abort(`failpoint ${point}`);
  };
}

/**
 * Lets an object die around the transactions and alarms of its storage, whose methods are replaced on the instance. The mutants
 * `no-partition-alarm` and `no-processor-alarm` never set that object's alarm.
 */
export function watched(
  ctx: DurableObjectState,
  name: string,
  env: EdgeEnv,
  die: Die,
): DurableObjectState {
  const forgets = (env as TortureEnv).MUTANT === `no-${name.toLowerCase()}-alarm`;
  const { storage } = ctx;
  const transactionSync = storage.transactionSync.bind(storage);
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperties(storage, {
    transactionSync: {
      value: <T>(body: () => T): T => {
        die(`${name}/transaction not begun`);
        const made = transactionSync(() => {
          const result = body();
          die(`${name}/transaction not committed`);
          return result;
        });
        die(`${name}/transaction committed`);
        return made;
      },
    },
    setAlarm: {
      value: (at: number): Promise<void> => {
        die(`${name}/alarm not set`);
        if (forgets) return Promise.resolve();
        const set = setAlarm(at);
        die(`${name}/alarm set`);
        return set;
      },
    },
  });
  return ctx;
}

const BINDINGS = { PARTITION: 'Partition', PROCESSOR: 'Processor', CATALOG: 'Catalog' } as const;

/** Bindings whose stubs let the caller die before a call is sent, and before its answer is seen. */
export function watchedEnv(env: EdgeEnv, name: string, die: Die): EdgeEnv {
  return new Proxy(env, {
    get(target, key) {
      const called = BINDINGS[key as keyof typeof BINDINGS];
      if (called === undefined) return Reflect.get(target, key);
      return watchedNamespace(target[key as keyof typeof BINDINGS], `${name} calls ${called}`, die);
    },
  });
}

function watchedNamespace(
  namespace: DurableObjectNamespace,
  name: string,
  die: Die,
): DurableObjectNamespace {
  return new Proxy(namespace, {
    get(target, key) {
      if (key !== 'get') return bound(target, key);
      return (id: DurableObjectId) => watchedStub(target.get(id), name, die);
    },
  });
}

type Remote = Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

function watchedStub(stub: DurableObjectStub, name: string, die: Die): DurableObjectStub {
  return new Proxy(stub, {
    get(target, key) {
      return async (...args: readonly unknown[]): Promise<unknown> => {
        die(`${name}.${String(key)}, not sent`);
        // Called as a property: a remote method is no function with an `apply`.
        const answer = await (target as unknown as Remote)[key as string]?.(...args);
        die(`${name}.${String(key)}, answer lost`);
        return answer;
      };
    },
  });
}

/** A request that is never taken, or an answer that is never given. */
export async function around<T>(object: object, name: string, body: () => Promise<T>): Promise<T> {
  const { ctx, env } = object as { readonly ctx: DurableObjectState; readonly env: EdgeEnv };
  const die = dying(ctx, env);
  die(`${name} not taken`);
  const answer = await body();
  die(`${name} not answered`);
  return answer;
}

/** True for the appends of tasks; those of clients have ids without a slash. */
export function isTask(stamp: ProducerStamp): boolean {
  return stamp.id.includes('/');
}

/** A native method needs its own object as `this`. */
function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? value.bind(target) : value;
}
