// Joins: what columns are called, which one is the key, in which format it is written, and what moves.
import { expect, test } from 'vitest';
import type { FromJoin } from '../../../runtime/analyze/analysis.ts';
import { schemaText } from '../../../runtime/data/schema-text.ts';
import { session, stream, table } from './join-sources.ts';

function made(sql: string): string {
  const analysis = session().run(sql);
  if (analysis.kind !== 'query' || analysis.sink === null) throw new Error('it makes nothing');
  return schemaText(analysis.sink.schema).replaceAll('`', '');
}

test.each([
  // Names and stars
  [
    stream('* FROM orders o JOIN sent s WITHIN 1 HOUR ON o.id = s.oid'),
    'O_ID INTEGER KEY, O_ITEM INTEGER, O_N BIGINT, O_NOTE STRING, S_OID INTEGER, S_PLACE STRING',
  ],
  [
    stream('sent.*, n FROM orders JOIN sent WITHIN 1 HOUR ON id = oid'),
    'SENT_OID INTEGER KEY, SENT_PLACE STRING, N BIGINT',
  ],
  [
    stream(
      'oid, o.note, p.note AS said, amount FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id JOIN sent s WITHIN 1 HOUR ON oid = p.id',
    ),
    'OID INTEGER KEY, O_NOTE STRING, SAID STRING, AMOUNT DOUBLE',
  ],
  [
    stream(
      'o.id, o.ROWTIME, p.ROWOFFSET, p.tags[1], o.n + 1 FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id',
    ),
    'O_ID INTEGER KEY, O_ROWTIME BIGINT, P_ROWOFFSET BIGINT, KSQL_COL_0 INTEGER, KSQL_COL_1 BIGINT',
  ],
  [
    stream(
      'o.id, TRANSFORM(p.tags, n => n + 1) AS more FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id',
    ).replace('TRANSFORM(p.tags, n => n + 1)', 'p.tags'),
    'O_ID INTEGER KEY, MORE ARRAY<INTEGER>',
  ],
  // The column of the key is the first that is selected
  [
    stream('p.id, o.n FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'P_ID INTEGER KEY, N BIGINT',
  ],
  [
    stream('p.id, o.id FROM orders o LEFT JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'O_ID INTEGER KEY, P_ID INTEGER',
  ],
  [
    stream('p.id AS k, o.n FROM orders o JOIN paid p WITHIN 1 HOUR ON ABS(o.id) = p.id'),
    'K INTEGER KEY, N BIGINT',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON ABS(o.id) = ABS(p.id)').replace(
      '*',
      'ROWKEY AS k, o.n',
    ),
    'K INTEGER KEY, N BIGINT',
  ],
  [
    stream('rowkey_2, o.n FROM orders o FULL JOIN named d WITHIN 1 HOUR ON o.id = d.rowkey'),
    'ROWKEY_2 INTEGER KEY, N BIGINT',
  ],
  [
    stream('* FROM orders o FULL JOIN sent s WITHIN 1 HOUR ON o.id = s.oid'),
    'ROWKEY INTEGER KEY, O_ID INTEGER, O_ITEM INTEGER, O_N BIGINT, O_NOTE STRING, S_OID INTEGER, S_PLACE STRING',
  ],
  [
    stream(
      'o.ROWOFFSET AS k, p.note FROM orders o JOIN paid p WITHIN 1 HOUR ON o.ROWOFFSET = p.ROWOFFSET',
    ),
    'K BIGINT KEY, P_NOTE STRING',
  ],
  [
    stream(
      'i.id, n FROM orders o JOIN items i ON o.item = i.id LEFT JOIN stock s ON o.item = s.id',
    ),
    'I_ID INTEGER KEY, N BIGINT',
  ],
  [
    stream(
      's.id, n, i.id FROM orders o JOIN items i ON o.item = i.id LEFT JOIN stock s ON o.id = s.id',
    ),
    'S_ID INTEGER KEY, N BIGINT, I_ID INTEGER',
  ],
  [
    `CREATE TABLE lands (land STRING PRIMARY KEY, code INT) WITH (KAFKA_TOPIC='lands', VALUE_FORMAT='JSON'); ${table('mid, code FROM makers m JOIN lands l ON m.land = l.land')}`,
    'MID INTEGER KEY, CODE INTEGER',
  ],
  [table('s.id, name FROM items i JOIN stock s ON s.id = i.id'), 'S_ID INTEGER KEY, NAME STRING'],
  [
    table('i.id, mid, land FROM items i LEFT JOIN makers ON maker = mid'),
    'ID INTEGER KEY, MID INTEGER, LAND STRING',
  ],
  [
    table('a, b, land FROM pairs JOIN makers ON pairs.b = mid'),
    'A INTEGER KEY, B INTEGER KEY, LAND STRING',
  ],
  [
    table('s.id, land FROM items i JOIN makers m ON maker = mid JOIN stock s ON i.id = s.id'),
    'S_ID INTEGER KEY, LAND STRING',
  ],
  // Clauses behind a join
  [
    table(
      'o.id, COUNT(*) AS n, MAX(p.amount) AS top FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id GROUP BY o.id',
    ),
    'O_ID INTEGER KEY, N BIGINT, TOP DOUBLE',
  ],
  [
    table('land, COUNT(*) AS n FROM items i JOIN makers m ON maker = mid GROUP BY m.land'),
    'LAND STRING KEY, N BIGINT',
  ],
  [
    stream('* FROM named d JOIN sent s WITHIN 1 HOUR ON d.rowkey = s.oid PARTITION BY s.place'),
    'S_PLACE STRING KEY, D_ROWKEY_1 INTEGER, D_ROWTIME BIGINT, D_ROWPARTITION INTEGER, D_ROWOFFSET BIGINT, D_ROWKEY INTEGER, S_ROWTIME BIGINT, S_ROWPARTITION INTEGER, S_ROWOFFSET BIGINT, S_OID INTEGER',
  ],
  [
    stream('* FROM hourly a JOIN daily b WITHIN 1 HOUR ON a.id = b.id'),
    'A_ID INTEGER KEY, A_WINDOWSTART BIGINT, A_WINDOWEND BIGINT, A_V INTEGER, B_ID INTEGER, B_WINDOWSTART BIGINT, B_WINDOWEND BIGINT, B_V INTEGER',
  ],
])('%s makes %s', (sql, schema) => {
  expect(made(sql)).toBe(schema);
});

function joinOf(sql: string, properties: Readonly<Record<string, string>> = {}): FromJoin {
  const analysis = session(properties).run(sql);
  if (analysis.kind !== 'query' || analysis.input.from !== 'join') throw new Error('no join');
  return analysis.input;
}

function moves({ left, right }: FromJoin): string {
  return `${left.move} ${right.move}`;
}

test('a stream moves where it is not joined by its key, to the partitions of the other side', () => {
  const join = joinOf(stream('* FROM orders o JOIN four f WITHIN 1 HOUR ON o.item = f.id'));
  expect([moves(join), join.partitions]).toEqual(['rekey none', 4]);
  const both = joinOf(stream('* FROM orders o JOIN four f WITHIN 1 HOUR ON o.item = f.x'));
  expect([moves(both), both.partitions]).toEqual(['rekey rekey', 4]);
});

test('joins by one key are one place, and a new key makes another', () => {
  const same = joinOf(
    stream('o.id, n FROM orders o JOIN items i ON o.id = i.id JOIN stock s ON o.id = s.id'),
  );
  expect(moves(same)).toBe('none none');
  const other = joinOf(
    stream('s.id, n FROM orders o JOIN items i ON o.id = i.id JOIN stock s ON o.item = s.id'),
  );
  expect(moves(other)).toBe('rekey none');
});

test('the key format is that of the first side that stays, and the other side takes it on', () => {
  const left = joinOf(stream('o.id, n FROM orders o JOIN sent s WITHIN 1 HOUR ON o.id = s.oid'));
  expect([moves(left), left.keyFormat.format]).toEqual(['none reformat', 'KAFKA']);
  const right = joinOf(
    stream('s.oid, n FROM orders o JOIN sent s WITHIN 1 HOUR ON o.item = s.oid'),
  );
  expect([moves(right), right.keyFormat.format]).toEqual(['rekey none', 'JSON']);
  const none = joinOf(stream('b.id, n FROM bare b JOIN orders o WITHIN 1 HOUR ON b.id = o.item'));
  expect([moves(none), none.keyFormat.format]).toEqual(['rekey rekey', 'KAFKA']);
});

test('the result has the key format of the first source, and the default where that has none', () => {
  const sink = (
    sql: string,
    properties: Readonly<Record<string, string>> = {},
  ): string | undefined => {
    const analysis = session(properties).run(sql);
    return analysis.kind === 'query' ? analysis.sink?.keyFormat.format : undefined;
  };
  expect(sink(stream('s.oid, n FROM sent s JOIN orders o WITHIN 1 HOUR ON o.item = s.oid'))).toBe(
    'JSON',
  );
  const bare = stream('b.id, n FROM bare b JOIN orders o WITHIN 1 HOUR ON b.id = o.item');
  expect(sink(bare)).toBe('KAFKA');
  expect(sink(bare, { 'ksql.persistence.default.format.key': 'DELIMITED' })).toBe('DELIMITED');
});

test('a foreign key needs no partitions of one number', () => {
  const sql = `CREATE TABLE wide (id INT PRIMARY KEY, maker INT) WITH (KAFKA_TOPIC='wide', PARTITIONS=3, VALUE_FORMAT='JSON');
    ${table('w.id, land FROM wide w JOIN makers m ON w.maker = m.mid')}`;
  const join = joinOf(sql);
  expect([join.kind, join.partitions]).toEqual(['foreignKey', 3]);
});

test('a source is joined with itself where the session allows it', () => {
  const sql = stream('a.id, b.n FROM orders a JOIN orders b WITHIN 1 HOUR ON a.id = b.item');
  const allowed = { 'millrace.self.joins': 'allow' };
  expect(moves(joinOf(sql, allowed))).toBe('none rekey');
});

test('WITHIN is kept in milliseconds, before and after', () => {
  const within = (text: string): FromJoin['within'] =>
    joinOf(stream(`o.id, n FROM orders o JOIN paid p WITHIN ${text} ON o.id = p.id`)).within;
  expect(within('2 SECONDS')).toEqual({ beforeMs: 2_000, afterMs: 2_000, graceMs: null });
  expect(within('(0 SECONDS, 1 HOUR) GRACE PERIOD 1 DAY')).toEqual({
    beforeMs: 0,
    afterMs: 3_600_000,
    graceMs: 86_400_000,
  });
});

test('a query remembers all that it reads', () => {
  const analysis = session().run(
    table('s.id, land FROM items i JOIN makers m ON maker = mid JOIN stock s ON i.id = s.id'),
  );
  expect(analysis.kind === 'query' && analysis.query?.reads).toEqual(['ITEMS', 'MAKERS', 'STOCK']);
});
