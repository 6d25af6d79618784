// An object that stores the bytes that it is sent and gives them back, with no look at them: the least that a batch costs on the platform.

import { DurableObject } from 'cloudflare:workers';
import type { EdgeEnv } from '../../../edge/env.ts';

export { Catalog, Processor, Relay } from '../../../edge/index.ts';

/** POST stores a body as one row; GET gives `?count=` rows behind the `?from=` first as one body. */
export class Partition extends DurableObject<EdgeEnv> {
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#sql.exec(
      'CREATE TABLE IF NOT EXISTS batch(base INTEGER PRIMARY KEY, data BLOB NOT NULL)',
    );
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') {
      const bytes = await request.arrayBuffer();
      this.#sql.exec('INSERT INTO batch VALUES (NULL, ?)', bytes);
      return new Response('{}');
    }
    const { searchParams } = new URL(request.url);
    const rows = this.#sql.exec<{ data: ArrayBuffer }>(
      'SELECT data FROM batch WHERE base > ? ORDER BY base LIMIT ?',
      Number(searchParams.get('from')),
      Number(searchParams.get('count')),
    );
    const parts = [...rows].map(({ data }) => new Uint8Array(data));
    const page = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      page.set(part, at);
      at += part.length;
    }
    return new Response(page);
  }
}

export default {
  fetch: (request, { PARTITION }) => PARTITION.get(PARTITION.idFromName('bare')).fetch(request),
} satisfies ExportedHandler<EdgeEnv>;
