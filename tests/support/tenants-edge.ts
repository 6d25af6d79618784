// An edge of two tenants under bad requests: what they are answered, and that they change nothing for either; judges no request itself.

import { doesNotMatch, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { type Answer, send } from './edge-client.ts';
import { SocketClient } from './socket-client.ts';
import { Workerd } from './workerd.ts';

interface Ticketed {
  readonly ticket: string;
}

type Refusal = Pick<Answer, 'status' | 'text'>;

/** Runs tests/workers/apps/tenants.ts; requests are tenant a's. */
export class TenantsEdge {
  readonly workerd: Workerd;

  private constructor(workerd: Workerd) {
    this.workerd = workerd;
  }

  static async start(): Promise<TenantsEdge> {
    const workerd = await Workerd.start('tests/workers/apps/tenants.ts', {
      MILLRACE_TICKET_SECRET: 'a secret of thirty-two characters',
    });
    for (const tenant of ['a', 'b'] as const) {
      await send(workerd, 'POST', '/topics', { name: 'good', partitions: 2 }, as(tenant));
      const sql = `CREATE STREAM s (k STRING KEY, a BIGINT, t STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');
        CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`;
      const made = await send(workerd, 'POST', '/ksql', { ksql: sql }, as(tenant));
      strictEqual(made.status, 200);
    }
    return new TenantsEdge(workerd);
  }

  ask(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    return send(this.workerd, method, path, body, { ...as('a'), ...headers });
  }

  /** A socket of tenant a, which shows a ticket. */
  async socket(path: string): Promise<SocketClient> {
    const { body } = await this.ask('POST', '/tickets', { path });
    return SocketClient.open(`${this.workerd.url}${path}?ticket=${(body as Ticketed).ticket}`);
  }

  ksql(text: string): Promise<Answer> {
    return this.ask('POST', '/ksql', { ksql: text });
  }

  async batch(
    body: Uint8Array<ArrayBuffer>,
    headers = {},
    path = '/topics/good/partitions/0/batch',
  ): Promise<Refusal> {
    const type = { 'Content-Type': 'application/vnd.millrace.batch' };
    const response = await fetch(this.workerd.url + path, {
      method: 'POST',
      headers: { ...as('a'), ...type, ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  }

  /** All that both tenants have, as text. */
  async everything(): Promise<string> {
    const ksql = 'SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW ALL TOPICS;';
    const answers = await Promise.all(
      (['a', 'b'] as const).flatMap((tenant) => [
        ...['/topics', '/topics/good', '/topics/s', '/migrations'].map((path) =>
          send(this.workerd, 'GET', path, undefined, as(tenant)),
        ),
        send(this.workerd, 'POST', '/ksql', { ksql }, as(tenant)),
      ]),
    );
    return answers.map(({ text }) => text).join('\n');
  }

  /** Checks that what `bad` sends is refused and changes nothing, and that a good request then works. */
  async harmless<A extends Refusal>(bad: () => Promise<A>): Promise<A> {
    const [answer] = await this.allHarmless([bad]);
    if (answer === undefined) throw new Error('there is an answer for each request');
    return answer;
  }

  /** As `harmless`, for several one after the other. */
  async allHarmless<A extends Refusal>(bads: readonly (() => Promise<A>)[]): Promise<A[]> {
    const before = await this.everything();
    const answers: A[] = [];
    for (const bad of bads) {
      const answer = await bad();
      checkRefusal(answer);
      answers.push(answer);
    }
    strictEqual(await this.everything(), before);
    strictEqual((await this.ksql('SHOW STREAMS;')).status, 200);
    return answers;
  }
}

function as(tenant: 'a' | 'b') {
  return { Authorization: `Bearer key-of-${tenant}` };
}

function checkRefusal({ status, text }: Refusal): void {
  doesNotMatch(text, / at .*\.(ts|js):\d|SQLITE_ERROR|no such table/);
  ok(status >= 400 && status < 500, `${status} ${text}`);
  const body = JSON.parse(text) as { error_code: number; message: string };
  strictEqual(Math.floor(body.error_code / 100), status);
  notStrictEqual(body.message, '');
}
