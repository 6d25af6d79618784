// The edge with a meter of what is billed, by object: requests, rows read and written, and how long each was active; never deployed.

import {
  Catalog as DeployedCatalog,
  createEdge,
  Partition as DeployedPartition,
  Processor as DeployedProcessor,
  Relay as DeployedRelay,
} from '../../../edge/index.ts';
import type { EdgeEnv } from '../../../edge/env.ts';

/** What one object has used since the process began. */
interface Used {
  /** Calls, alarms and what came over sockets; in twentieths, as messages over sockets are counted. */
  twentieths: number;
  rowsRead: number;
  rowsWritten: number;
  /** How long something was under way, and in how many events. */
  activeMs: number;
  active: number;
  sinceMs: number;
}

const objects = new Map<string, Used>();
let requests = 0;

function usedBy(name: string): Used {
  const fresh = { twentieths: 0, rowsRead: 0, rowsWritten: 0, activeMs: 0, active: 0, sinceMs: 0 };
  const used = objects.get(name) ?? fresh;
  objects.set(name, used);
  return used;
}

/** Counts how long an object is busy: the clock stands still within a turn, so that an end is looked at in the next one. */
async function active<T>(used: Used, body: () => Promise<T> | T): Promise<T> {
  if (used.active === 0) used.sinceMs = Date.now();
  used.active += 1;
  try {
    return await body();
  } finally {
    void ended(used);
  }
}

async function ended(used: Used): Promise<void> {
  await scheduler.wait(0);
  used.active -= 1;
  if (used.active === 0) used.activeMs += Date.now() - used.sinceMs;
}

/** Counts rows that statements read and write, alarms that are set, and work that goes on behind an answer. */
function metered(ctx: DurableObjectState): void {
  const used = usedBy(ctx.id.name ?? '');
  const { storage } = ctx;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  // Configurable, since the object counts its own rows in the same way.
  Object.defineProperty(sql, 'exec', {
    configurable: true,
    value: (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      used.rowsWritten += cursor.rowsWritten;
      // A cursor has read its rows when the turn ends that asks for them.
      queueMicrotask(() => (used.rowsRead += cursor.rowsRead));
      return cursor;
    },
  });
  const setAlarm = storage.setAlarm.bind(storage);
  const waitUntil = ctx.waitUntil.bind(ctx);
  Object.defineProperty(storage, 'setAlarm', {
    value: (at: number) => {
      used.rowsWritten += 1;
      return setAlarm(at);
    },
  });
  Object.defineProperty(ctx, 'waitUntil', {
    value: (promise: Promise<unknown>) => waitUntil(active(used, () => promise)),
  });
}

type Method = (this: { readonly ctx: DurableObjectState }, ...given: unknown[]) => unknown;

/** Each call of a method is a request, one of a message over a socket a twentieth of one. */
function billed(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    if (name === 'constructor' || name === 'createStore' || name === 'judged') continue;
    if (typeof value !== 'function') continue;
    const method = value as Method;
    const wrapped: Method = function (...given) {
      const used = usedBy(this.ctx.id.name ?? '');
      used.twentieths += name === 'webSocketMessage' ? 1 : 20;
      return active(used, () => method.apply(this, given) as Promise<unknown>);
    };
    Object.defineProperty(prototype, name, { value: wrapped });
  }
}

billed(DeployedPartition.prototype);
billed(DeployedProcessor.prototype);
billed(DeployedRelay.prototype);
billed(DeployedCatalog.prototype);

export class Partition extends DeployedPartition {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    metered(ctx);
    super(ctx, env);
  }
}

export class Processor extends DeployedProcessor {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    metered(ctx);
    super(ctx, env);
  }
}

export class Relay extends DeployedRelay {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    metered(ctx);
    super(ctx, env);
  }
}

export class Catalog extends DeployedCatalog {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    metered(ctx);
    super(ctx, env);
  }
}

const edge = createEdge();
export default {
  fetch: (request, env, context) => {
    if (request.url.endsWith('/bench/used'))
      return Response.json({ requests, objects: Object.fromEntries(objects) });
    requests += 1;
    return edge.fetch?.(request as never, env, context) ?? new Response(null, { status: 500 });
  },
} satisfies ExportedHandler<EdgeEnv>;
