// The statements that a Worker's code brings along: each is applied once to each tenant, before the tenant's first request here.

import { InvariantError } from '../runtime/base/errors.ts';
import { log } from '../runtime/base/log.ts';
import type { EdgeEnv } from './env.ts';
import { migrate, sha256Of } from './routes/migrations.ts';

const WHAT_TO_DO =
  'No request is served until the statements of createEdge can be applied: one that was applied stays as it is, and a changed text is another statement; put changes behind it (CREATE OR REPLACE, DROP)';
/** Tenants of which one isolate remembers that their statements are applied; beyond it the catalogs are asked again. */
const TENANTS_MAX = 1000;

export class CodeStatements {
  readonly #texts: readonly string[];
  readonly #applied = new Set<string>();

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /**
   * Resolves when all are applied. Requests that come at the same time each ask the catalog, which applies a text once: none waits for
   * another one, which the platform may drop.
   * @throws {InvariantError} the first that is not; the next request tries it again
   */
  async applied(env: EdgeEnv, tenant: string): Promise<void> {
    if (this.#texts.length === 0 || this.#applied.has(tenant)) return;
    await this.#apply(env, tenant);
    if (this.#applied.size >= TENANTS_MAX) this.#applied.clear();
    this.#applied.add(tenant);
  }

  async #apply(env: EdgeEnv, tenant: string): Promise<void> {
    for (const text of this.#texts) {
      const name = `code:${(await sha256Of(text)).slice(0, 32)}`;
      const { failed } = await migrate(env, tenant, { name, version: null }, text);
      if (failed === null) continue;
      const { message } = failed.error;
      // Whoever asks is told nothing of it: it is for whoever has written the code.
      const reason = `${message}. ${WHAT_TO_DO}`;
      log('error', 'code-statement-failed', { reason });
      throw new InvariantError(`a statement of createEdge failed: ${message}\n${failed.text}`);
    }
  }
}
