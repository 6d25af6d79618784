// Every rule that refuses a join: one statement each, with the code, the place and the message.
import { expect, test } from 'vitest';
import { session, stream, table } from './join-sources.ts';

test.each([
  // Conditions
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id > p.id'),
    'INVALID line 1:77: ON is no equality: O.ID > P.ID',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id AND o.note = p.note'),
    'INVALID line 1:84: ON has several conditions',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = 7'),
    'INVALID line 1:79: 7 in ON names no source',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id + p.id = p.id'),
    'INVALID line 1:77: O.ID + P.ID in ON names 2 sources',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = o.item'),
    'INVALID line 1:77: ON O.ID = O.ITEM does not join P',
  ],
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.amount'),
    'TYPE_MISMATCH line 1:77: O.ID is INTEGER, P.AMOUNT is DOUBLE',
  ],
  [
    stream('* FROM held JOIN orders o WITHIN 1 HOUR ON o.item = held.m'),
    'TYPE_MISMATCH line 1:77: HELD.M is MAP<STRING, INTEGER>, O.ITEM is INTEGER',
  ],
  [
    stream(
      '* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = s.oid JOIN sent s WITHIN 1 HOUR ON o.id = s.oid',
    ),
    'INVALID line 1:77: ON O.ID = S.OID does not join P',
  ],
  // Names
  [
    stream('* FROM orders o JOIN paid p WITHIN 1 HOUR ON id = p.id'),
    'INVALID line 1:72: ID is a column of O and of P',
  ],
  [
    stream('o.id, note FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:33: NOTE is a column of O and of P',
  ],
  [
    stream('o.id, ROWTIME AS t FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:33: ROWTIME is a column of O and of P',
  ],
  [
    stream('o.id, o.nope FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'UNKNOWN_COLUMN line 1:33: NOPE is not a column of O',
  ],
  [
    stream('o.id, nope FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'UNKNOWN_COLUMN line 1:33: NOPE is not a column of O, P',
  ],
  [
    stream('o.id, orders.n FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'UNKNOWN_SOURCE line 1:33: ORDERS is not a source of this query',
  ],
  [
    stream('z.* FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'UNKNOWN_SOURCE line 1:27: Z is not a source of this query',
  ],
  [
    stream('* FROM orders o JOIN paid o WITHIN 1 HOUR ON o.id = o.id'),
    'INVALID line 1:48: two sources go by the name O',
  ],
  [
    stream('* FROM orders a JOIN orders b WITHIN 1 HOUR ON a.id = b.id'),
    'INVALID line 1:48: ORDERS is joined with itself',
  ],
  [
    stream('o.id, o.n, p.amount AS n FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:38: two columns of the SELECT are called N',
  ],
  [
    stream('o.id, o.n, ROWKEY AS k FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'UNKNOWN_COLUMN line 1:38: ROWKEY is not a column of O, P',
  ],
  // Keys
  [
    stream('o.n, p.amount FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:20: the SELECT lacks the key column O.ID or P.ID',
  ],
  [
    stream('o.*, p.* FROM orders o FULL JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:20: the SELECT lacks the key column ROWKEY',
  ],
  [
    stream('o.id, o.id AS again, o.n FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:33: the key column is selected twice, as O_ID and as AGAIN',
  ],
  [
    table('i.name, m.land FROM items i JOIN makers m ON i.maker = m.mid'),
    'INVALID line 1:19: the SELECT lacks the key column I.ID',
  ],
  // Kinds
  [
    stream('* FROM orders o JOIN paid p ON o.id = p.id'),
    'INVALID line 1:43: two streams are joined without WITHIN',
  ],
  [
    stream('* FROM orders o JOIN items i WITHIN 1 HOUR ON o.item = i.id'),
    'INVALID line 1:63: WITHIN in a join with the table I',
  ],
  [
    table('* FROM items i JOIN stock s WITHIN 1 HOUR ON i.id = s.id'),
    'INVALID line 1:61: WITHIN in a join with the table S',
  ],
  [
    stream('* FROM orders o RIGHT JOIN items i ON o.item = i.id'),
    'INVALID line 1:43: RIGHT JOIN of a stream with the table I',
  ],
  [
    stream('* FROM orders o FULL OUTER JOIN items i ON o.item = i.id'),
    'INVALID line 1:43: FULL JOIN of a stream with the table I',
  ],
  [
    stream('* FROM items i JOIN orders o ON o.item = i.id'),
    'INVALID line 1:42: a table is joined with the stream O',
  ],
  [
    table('* FROM items i JOIN stock s ON i.id = s.id JOIN orders o ON o.item = i.id'),
    'INVALID line 1:69: a table is joined with the stream O',
  ],
  [
    table('* FROM orders o JOIN items i ON o.item = i.id'),
    'INVALID line 1:1: the query makes a stream, not a table',
  ],
  [
    stream('* FROM items i JOIN stock s ON i.id = s.id'),
    'INVALID line 1:1: the query makes a table, not a stream',
  ],
  [
    stream('* FROM orders o JOIN items i ON o.item = i.maker'),
    'INVALID line 1:68: I.MAKER is not the primary key of I',
  ],
  [
    stream('* FROM orders o JOIN items i ON o.item = ABS(i.id)'),
    'INVALID line 1:68: ABS(I.ID) is not the primary key of I',
  ],
  [
    stream('* FROM orders o JOIN pairs p ON o.item = p.a'),
    'INVALID line 1:68: P.A is not the primary key of P',
  ],
  [
    table('* FROM items i JOIN stock s ON i.id = s.held'),
    'INVALID line 1:64: S.HELD is not the primary key of S',
  ],
  [
    table('* FROM items i RIGHT JOIN makers m ON i.maker = m.mid'),
    'INVALID line 1:41: RIGHT JOIN by a foreign key',
  ],
  [
    table('* FROM items i FULL JOIN makers m ON i.maker = m.mid'),
    'INVALID line 1:41: FULL JOIN by a foreign key',
  ],
  [
    table('* FROM items i JOIN stock s ON i.id = s.id JOIN makers m ON i.maker = m.mid'),
    'INVALID line 1:86: I.MAKER is not the key of the tables joined before',
  ],
  [
    table('* FROM items i FULL JOIN stock s ON i.id = s.id JOIN makers m ON i.id = m.mid'),
    'INVALID line 1:91: I.ID is not the key of the tables joined before',
  ],
  // Windows, formats, partitions
  [
    stream('* FROM spans a JOIN orders o WITHIN 1 HOUR ON a.id = o.id'),
    'INVALID line 1:42: SPANS has a SESSION window in its key, ORDERS has no window',
  ],
  [
    stream('* FROM spans a JOIN hourly b WITHIN 1 HOUR ON a.id = b.id'),
    'INVALID line 1:42: SPANS has a SESSION window in its key, HOURLY has a TUMBLING window',
  ],
  [
    stream('* FROM hourly a JOIN daily b WITHIN 1 HOUR ON a.v = b.id'),
    'INVALID line 1:73: A.V is not the key of HOURLY, whose key holds a window',
  ],
  [
    stream('* FROM orders o JOIN seen s ON o.id = s.id'),
    'INVALID line 1:48: SEEN is a windowed table, which no persistent query reads',
  ],
  [
    stream('* FROM orders o JOIN plain p WITHIN 1 HOUR ON o.id = p.id'),
    'INVALID line 1:48: JOIN with PLAIN, whose value format is KAFKA',
  ],
  [
    stream('* FROM paid p JOIN held h WITHIN 1 HOUR ON p.tags = ARRAY[h.id]'),
    'INVALID line 1:41: key format: KAFKA holds no ARRAY<INTEGER>',
  ],
  [
    stream('* FROM orders o JOIN four f WITHIN 1 HOUR ON o.id = f.id'),
    'INVALID line 1:43: partitions differ: the topic orders has 1, four has 4',
  ],
  [
    "CREATE STREAM x WITH (KAFKA_TOPIC='paid') AS SELECT * FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id;",
    'INVALID line 1:35: the query would read the topic paid that it writes',
  ],
  [
    'INSERT INTO paid SELECT p.id, p.amount FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id;',
    'INVALID line 1:13: the query would read the topic paid that it writes',
  ],
  // Clauses
  ['SELECT * FROM items i JOIN stock s ON i.id = s.id;', 'INVALID line 1:23: JOIN in a pull query'],
  [
    stream('o.id, p.note FROM orders o JOIN paid p WITHIN 1 HOUR ON o.id = p.id WHERE o.n'),
    'TYPE_MISMATCH line 1:101: the condition of WHERE is BIGINT, not BOOLEAN',
  ],
  [
    table(
      'o.id, COUNT(*), WINDOWSTART AS ws FROM orders o JOIN items i ON o.item = i.id WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY o.id',
    ),
    'UNKNOWN_COLUMN line 1:42: WINDOWSTART is not a column of O, I',
  ],
  [
    table('o.id, p.note, COUNT(*) FROM orders o JOIN items p ON o.item = p.id GROUP BY o.id'),
    'UNKNOWN_COLUMN line 1:32: NOTE is not a column of P',
  ],
  [
    table('o.id, o.note, COUNT(*) FROM orders o JOIN items p ON o.item = p.id GROUP BY o.id'),
    'INVALID line 1:32: O.NOTE in SELECT is neither grouped by nor aggregated',
  ],
])('%s', (sql, message) => {
  const refused = session().refusal(sql);
  expect(refused.startsWith(message) ? message : refused).toBe(message);
});
