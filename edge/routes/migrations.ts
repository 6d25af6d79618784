// Migrations over HTTP: texts of statements that are applied once each; the catalog does the work.

import type { Hono } from 'hono';
import { NAME_LENGTH_MAX } from '../../runtime/base/limits.ts';
import { catalogOf, type EdgeEnv, type Migration, type MigrationAnswer } from '../env.ts';
import { answers } from '../guard/answers.ts';
import { fromWire, unwrap } from '../wire.ts';
import { isObject, readOrder } from './body.ts';
import type { EdgeHono } from './context.ts';
import { errorResponse, refusal } from './errors.ts';

const NAME = /^[A-Za-z0-9._:-]+$/;

export function migrationRoutes(app: Hono<EdgeHono>): void {
  app.get('/migrations', async (c) => {
    const { env, tenant } = c.var.edge;
    const migrations = await unwrap(catalogOf(env, tenant).migrations());
    return answers.json({ migrations });
  });

  app.post('/migrations', async (c) => {
    const { name, version, sql } = migrationOf(await readOrder(c));
    const { env, tenant } = c.var.edge;
    const { applied, entities, failed } = await migrate(env, tenant, { name, version }, sql);
    if (failed === null) return c.json({ name, applied, entities });
    return errorResponse(fromWire(failed.error), { text: failed.text, entities });
  });
}

/** Applies a text, unless it is applied. @throws as the catalog's `migrate` */
export async function migrate(
  env: EdgeEnv,
  tenant: string,
  of: Pick<Migration, 'name' | 'version'>,
  sql: string,
): Promise<MigrationAnswer> {
  const sha256 = await sha256Of(sql);
  const script = { sql, properties: new Map(), variables: new Map() };
  return unwrap(catalogOf(env, tenant).migrate(tenant, { ...of, sha256, script }));
}

/** SHA-256 of a text's UTF-8, in hexadecimal. */
export async function sha256Of(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function migrationOf(given: unknown) {
  if (!isObject(given)) throw refusal('BAD_REQUEST', 'send {"name": ..., "ksql": ...}');
  const { name, version = null, ksql: sql } = given;
  if (typeof name !== 'string' || !NAME.test(name) || name.length > NAME_LENGTH_MAX) {
    throw refusal('BAD_REQUEST', `name is 1 .. ${NAME_LENGTH_MAX} of A-Z a-z 0-9 . _ : -`);
  }
  const isVersion = version === null || (Number.isSafeInteger(version) && Number(version) >= 1);
  if (!isVersion) throw refusal('BAD_REQUEST', 'version is an integer from 1 on, or null');
  if (typeof sql !== 'string') throw refusal('BAD_REQUEST', '"ksql" is not text');
  return { name, version: version === null ? null : Number(version), sql };
}
