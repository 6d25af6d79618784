// Values in formats of elsewhere, and texts that are pages: skipped and told, with the position moving on; and never read as a page.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventReader } from '../../support/event-source.ts';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

/** What producers with a schema registry send, broken and whole. */
const WIRE: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['Avro with an unknown schema id', [0, 255, 255, 255, 255, 2, 97]],
  ['magic byte 1', [1, 0, 0, 0, 1, 2, 97]],
  ['a varint that is cut', [0, 0, 0, 0, 1, 0x80, 0x80]],
  ['a block count below 0', [0, 0, 0, 0, 1, 0x01, 0x02, 0]],
  ['a length of 2 GiB', [0, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]],
  ['Protobuf groups', [0, 0, 0, 0, 1, 0, 0x0b, 0x0c]],
  ['a varint of 10 bytes and more', [0, 0, 0, 0, 1, 0, 8, ...Array(11).fill(0xff)]],
  ['a length beyond the rest', [0, 0, 0, 0, 1, 0, 0x0a, 0x7f, 1]],
  ['groups 200 deep', [0, 0, 0, 0, 1, 0, ...Array(200).fill(0x0b)]],
  ['a message index beyond the descriptors', [0, 0, 0, 0, 1, 2, 0xfe, 0x01]],
  ['no bytes', []],
  ['one zero', [0]],
];

test.each(['AVRO', 'PROTOBUF', 'PROTOBUF_NOSR', 'JSON_SR'])(
  'the format %s, which is not here, is refused where it is declared',
  async (format) => {
    const ksql = `CREATE STREAM never (a INT) WITH (KAFKA_TOPIC='never', PARTITIONS=1, VALUE_FORMAT='${format}');`;
    const answer = await send(edge, 'POST', '/ksql', { ksql });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(format);
    expect((await send(edge, 'GET', '/topics/never')).status).toBe(404);
  },
);

test.each(['JSON', 'DELIMITED', 'KAFKA'])(
  'a stream in %s skips such values, tells each, and goes on behind them',
  async (format) => {
    const name = `in_${format}`.toLowerCase();
    const ksql = `CREATE STREAM ${name} (a BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='${format}');
      CREATE STREAM ${name}_out AS SELECT a FROM ${name};`;
    expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
    const good = format === 'JSON' ? '{"A":7}' : format === 'KAFKA' ? '\0\0\0\0\0\0\0\x07' : '7';
    // Eight bytes are a BIGINT in KAFKA, whatever they were meant to be.
    const isNumber = (bytes: readonly number[]): boolean =>
      format === 'KAFKA' && bytes.length === 8;
    const bad = WIRE.filter(([, bytes]) => !isNumber(bytes));
    const records = [...bad.map(([, bytes]) => Buffer.from(bytes)), Buffer.from(good)].map(
      (value) => ({ valueBase64: value.toString('base64') }),
    );
    expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
    const position = await until(async () => {
      const { body } = await send(edge, 'GET', '/queries');
      const { queries } = body as { queries: { statement: string; tasks: Task[] }[] };
      const own = queries.find(({ statement }) => statement.includes(`${name}_out`));
      const status = own?.tasks[0]?.status;
      expect(status?.state ?? 'RUNNING').toBe('RUNNING');
      const [offset] = status?.offsets ?? [];
      return offset?.next === records.length && offset.next;
    });
    expect(position).toBe(records.length);
    // What is neither a number nor a null in this format is told, each with its place.
    const out = await send(edge, 'GET', `/topics/${name.toUpperCase()}_OUT/partitions/0/records`);
    const passed = (out.body as { records: unknown[] }).records.length;
    expect(passed).toBeGreaterThanOrEqual(1);
    const told = await until(async () => {
      const query = { ksql: 'SELECT * FROM ksql_processing_log;' };
      const { body } = await send(edge, 'POST', '/query', query);
      const columns = (body as { row?: { columns: unknown[] } }[]).flatMap(({ row }) =>
        row?.columns[2] === name ? [row.columns] : [],
      );
      return columns.length + passed >= records.length && columns;
    });
    expect(new Set(told.map(([, , , , offset]) => offset)).size).toBe(told.length);
    expect(told.length).toBeGreaterThanOrEqual(bad.length - 2);
  },
);

interface Task {
  readonly status: {
    readonly state: string;
    readonly offsets: readonly { readonly next: number }[];
  } | null;
}

test('a record that is a page comes back as data on every route', async () => {
  const evil = '"><img src=x onerror=alert(1)><script>alert(1)</script>';
  const ksql = `CREATE STREAM pages (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='pages', PARTITIONS=1, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const headers = [{ name: evil, value: evil }];
  const records = [
    { key: evil, value: { V: evil, [evil]: evil }, headers },
    { key: 'x', value: evil },
  ];
  expect((await send(edge, 'POST', '/topics/pages/records', { records })).status).toBe(200);
  const sql = 'SELECT * FROM pages EMIT CHANGES LIMIT 1;';
  const streamsProperties = { 'auto.offset.reset': 'earliest' };
  const answers = await Promise.all([
    send(edge, 'GET', '/topics/pages/partitions/0/records'),
    send(edge, 'POST', '/query', { ksql: sql, streamsProperties }),
    send(edge, 'POST', '/query-stream', { sql, properties: streamsProperties }),
    send(edge, 'POST', '/query', { ksql: 'PRINT pages FROM BEGINNING LIMIT 2;' }),
    send(edge, 'POST', '/ksql', { ksql: `SELECT '${evil}';` }),
    send(edge, 'POST', '/ksql', { ksql: `DESCRIBE \`${evil}\`;` }),
    send(edge, 'GET', `/${encodeURIComponent(evil)}`),
    send(edge, 'POST', '/topics', { name: evil }),
    send(edge, 'POST', '/migrations', { name: evil, ksql: 'SHOW STREAMS;' }),
    send(edge, 'GET', '/migrations'),
    send(edge, 'GET', `/topics/pages?${encodeURIComponent(evil)}=1`),
    send(edge, 'POST', '/tickets', { path: evil }),
    send(edge, 'GET', '/metrics'),
  ]);
  for (const answer of answers) {
    expect(answer.headers.get('X-Content-Type-Options'), answer.text).toBe('nosniff');
    const type = answer.headers.get('Content-Type') ?? '';
    expect(type).toMatch(/^(application\/(json|vnd\.ksql[a-z.]*v1(\+json)?)|text\/plain)/);
  }
  expect(JSON.parse(answers[0].text)).toMatchObject({ records: [{ key: evil }, { key: 'x' }] });
  await using events = await EventReader.open(
    `${edge.url}/topics/pages/partitions/0/records?offset=0`,
  );
  expect(JSON.parse((await events.next())?.data ?? '')).toMatchObject({
    records: [{ key: evil }, {}],
  });
});
