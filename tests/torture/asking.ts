// How the harness asks a server that may die at any moment: the one place that says which answers are lost; knows no route.

import { until } from '../support/edge-client.ts';

/** A server, at another address after each restart. */
interface Server {
  readonly url: string;
}

/** So long a request that may be repeated is repeated at most; a server that was killed is there again within a few seconds. */
const ANSWER_MS_MAX = 20_000;

/**
 * Asks once.
 * @returns the answer, with all of its body here; null: it was lost, or is a passing fault (500 and above), and whether the request was
 *   done is unknown; or the server had too much to do, as where something else takes its cores, and did nothing
 */
export async function asked(
  edge: Server,
  path: string,
  init?: RequestInit,
): Promise<Response | null> {
  try {
    const answer = await fetch(edge.url + path, init);
    const { status, headers } = answer;
    const bytes = await answer.arrayBuffer();
    return status >= 500 || status === 429 ? null : new Response(bytes, { status, headers });
  } catch (thrown) {
    if (isCut(thrown)) return null;
    throw thrown;
  }
}

/**
 * Asks until there is an answer: for reads, and for what a server that has done it already knows again.
 * @throws when there is none in time
 */
export async function askedAgain(
  edge: Server,
  path: string,
  init?: RequestInit,
  withinMs = ANSWER_MS_MAX,
): Promise<Response> {
  return until(() => asked(edge, path, init), withinMs);
}

/** A request with `body` as JSON. */
export function posting(body: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/**
 * True for a connection that was refused, or closed before or within the answer. Servers that live close connections too: those that
 * nobody has used for a while, which a client that was busy has not seen yet, and those whose answer an object did not live to finish.
 */
function isCut(thrown: unknown): boolean {
  return thrown instanceof TypeError && /^(fetch failed|terminated)$/.test(thrown.message);
}
