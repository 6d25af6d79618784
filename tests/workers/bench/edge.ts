// The edge with counters for benchmarks: how often relays begin, and how many rows each class of objects has written.

import {
  Catalog as DeployedCatalog,
  createEdge,
  Partition as DeployedPartition,
  Processor as DeployedProcessor,
  Relay as DeployedRelay,
} from '../../../edge/index.ts';
import type { EdgeEnv } from '../../../edge/env.ts';

/** By class; all objects of this process share the isolate. */
const counts = { Partition: 0, Processor: 0, Relay: 0, Catalog: 0, relaysBegun: 0 };

/** Counts rows that statements and alarms write, as they are billed. */
function counted(
  ctx: DurableObjectState,
  name: 'Partition' | 'Processor' | 'Relay' | 'Catalog',
): void {
  const { storage } = ctx;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  // Configurable, since the object counts its own rows in the same way.
  Object.defineProperty(sql, 'exec', {
    configurable: true,
    value: (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      counts[name] += cursor.rowsWritten;
      return cursor;
    },
  });
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(storage, 'setAlarm', {
    configurable: true,
    value: (at: number) => {
      counts[name] += 1;
      return setAlarm(at);
    },
  });
}

export class Partition extends DeployedPartition {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    counted(ctx, 'Partition');
    super(ctx, env);
  }
}

export class Processor extends DeployedProcessor {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    counted(ctx, 'Processor');
    super(ctx, env);
  }
}

export class Relay extends DeployedRelay {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    counted(ctx, 'Relay');
    super(ctx, env);
    counts.relaysBegun += 1;
  }
}

export class Catalog extends DeployedCatalog {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    counted(ctx, 'Catalog');
    super(ctx, env);
  }
}

const edge = createEdge();
export default {
  fetch: (request, env, context) =>
    request.url.endsWith('/bench/counts')
      ? Response.json(counts)
      : (edge.fetch?.(request as never, env, context) ?? new Response(null, { status: 500 })),
} satisfies ExportedHandler<EdgeEnv>;
