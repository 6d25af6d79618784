// The command `millrace restore`: orders POST /restore at an edge and tells what became of each topic and task; knows no storage.

import { encodeUtf8 } from '../runtime/base/bytes.ts';
import { PortError } from '../runtime/base/errors.ts';
import { STATEMENT_WAIT_MS_MAX } from '../runtime/base/limits.ts';
import type { RestoreArguments } from './arguments.ts';
import type { Terminal } from './run.ts';

/** What the edge answers (PROTOCOL.md, section 9). */
interface Restored {
  readonly topics: readonly { readonly name: string; readonly incarnation: string }[];
  readonly tasks: readonly string[];
  readonly ended: readonly string[];
  readonly newer: readonly string[];
}

/** What it answers where it refuses. */
interface Refused {
  /** What is to be done stands on a line of its own. */
  readonly message?: string;
}

/**
 * Sends the order once: whether one that was not answered is done nobody knows, and repeated it gives topics yet another incarnation.
 * @param token of the edge; null: none is sent
 * @returns the exit status: 1 where the edge has refused, or tasks are left that have to be put back too
 * @throws {PortError} UNAVAILABLE where there is no answer
 */
export async function restore(
  { url, order }: RestoreArguments,
  { out, problem }: Terminal,
  token: string | null,
): Promise<number> {
  const answer = await asked(url, order, token);
  const body = (await answer.json().catch(() => null)) as (Restored & Refused) | null;
  if (!answer.ok || body === null || !Array.isArray(body.topics)) {
    const why = body?.message ?? `${url} is no edge (status ${answer.status})`;
    problem(`millrace: ${why.replaceAll('\n', '\n  ')}`);
    return 1;
  }
  const isBack = order.toMs !== null;
  const lines = [
    ...body.topics.map(({ name, incarnation }) => {
      return `topic ${name} ${isBack ? 'put back' : 'announced'}, incarnation ${incarnation}`;
    }),
    ...body.tasks.map((task) => `task ${task} ${isBack ? 'put back' : 'told again'}`),
    ...body.ended.map((task) => `task ${task} ended: no statement speaks of it`),
  ];
  if (lines.length > 0) await out(encodeUtf8(`${lines.join('\n')}\n`));
  else if (body.newer.length === 0) await out(encodeUtf8('nothing to put back\n'));
  for (const task of body.newer)
    problem(`millrace: task ${task} runs a newer plan than the catalog has: put it back too`);
  return body.newer.length === 0 ? 0 : 1;
}

async function asked(url: string, order: object, token: string | null): Promise<Response> {
  try {
    return await fetch(`${url.replace(/\/+$/, '')}/restore`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(STATEMENT_WAIT_MS_MAX),
    });
  } catch (thrown) {
    const { cause } = thrown as { readonly cause?: unknown };
    const why = cause instanceof Error ? cause.message : String(thrown);
    throw new PortError('UNAVAILABLE', `no answer from ${url} (${why})`, {}, { cause: thrown });
  }
}
