-- Queries that are replaced while they run: what they had counted and kept goes on.

--@test: a filter comes, changes and goes, and the count goes on
CREATE STREAM sales (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='sales', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE totals AS SELECT shop, SUM(cents) AS cents FROM sales GROUP BY shop;
INSERT INTO sales (shop, cents) VALUES ('a', 10);
ASSERT VALUES totals (shop, cents) VALUES ('a', 10);
CREATE OR REPLACE TABLE totals AS SELECT shop, SUM(cents) AS cents FROM sales WHERE cents < 100 GROUP BY shop;
INSERT INTO sales (shop, cents) VALUES ('a', 500);
INSERT INTO sales (shop, cents) VALUES ('a', 5);
ASSERT VALUES totals (shop, cents) VALUES ('a', 15);
CREATE OR REPLACE TABLE totals AS SELECT shop, SUM(cents) AS cents FROM sales GROUP BY shop;
INSERT INTO sales (shop, cents) VALUES ('a', 500);
ASSERT VALUES totals (shop, cents) VALUES ('a', 515);

--@test: a table that reads one more column keeps its rows
CREATE TABLE users (id INT PRIMARY KEY, name STRING, age INT) WITH (KAFKA_TOPIC='users', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE adults AS SELECT id, name FROM users WHERE name <> 'x';
INSERT INTO users (id, name, age) VALUES (1, 'ann', 30);
ASSERT VALUES adults (id, name) VALUES (1, 'ann');
CREATE OR REPLACE TABLE adults AS SELECT id, name, age FROM users WHERE name <> 'x';
INSERT INTO users (id, name, age) VALUES (1, 'x', 31);
ASSERT NULL VALUES adults (id) KEY (1);
INSERT INTO users (id, name, age) VALUES (1, 'bob', 32);
ASSERT VALUES adults (id, name, age) VALUES (1, 'bob', 32);

--@test: HAVING is added to a count that goes on
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
INSERT INTO s (k, v) VALUES ('a', 1);
INSERT INTO s (k, v) VALUES ('b', 1);
ASSERT VALUES n (k, n) VALUES ('a', 1);
ASSERT VALUES n (k, n) VALUES ('b', 1);
CREATE OR REPLACE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k HAVING COUNT(*) > 2;
INSERT INTO s (k, v) VALUES ('a', 1);
INSERT INTO s (k, v) VALUES ('a', 1);
ASSERT VALUES n (k, n) VALUES ('a', 3);

--@test: a computed argument stays as it is
--@expected.error: KsqlException
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE t AS SELECT k, SUM(v * 2) AS total FROM s GROUP BY k;
CREATE OR REPLACE TABLE t AS SELECT k, SUM(v * 3) AS total FROM s GROUP BY k;

--@test: the aggregation of a table starts anew
--@expected.error: KsqlException
CREATE TABLE u (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='u', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM u GROUP BY v;
CREATE OR REPLACE TABLE t AS SELECT v, COUNT(*) AS n FROM u WHERE v > 0 GROUP BY v;

--@test: a query goes on over another source only when it is made anew
--@expected.error: KsqlException
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM o (k STRING KEY, v INT) WITH (KAFKA_TOPIC='o', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM u AS SELECT * FROM s;
CREATE OR REPLACE STREAM u AS SELECT * FROM o;

--@test: a join that is made again as it is goes on, with the rows that it waits with
CREATE STREAM l (k STRING KEY, v INT) WITH (KAFKA_TOPIC='l', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='r', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM j AS SELECT l.k AS k, v, w FROM l JOIN r WITHIN 1 MINUTE ON l.k = r.k;
INSERT INTO l (rowtime, k, v) VALUES (1, 'a', 1);
CREATE OR REPLACE STREAM j AS SELECT l.k AS k, v, w FROM l JOIN r WITHIN 1 MINUTE ON l.k = r.k;
INSERT INTO r (rowtime, k, w) VALUES (2, 'a', 2);
ASSERT VALUES j (k, v, w) VALUES ('a', 1, 2);

--@test: a count over windows that is made again as it is goes on
CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY k;
INSERT INTO s (rowtime, k, v) VALUES (1, 'a', 1);
ASSERT VALUES n (k, n) VALUES ('a', 1);
CREATE OR REPLACE TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY k;
INSERT INTO s (rowtime, k, v) VALUES (2, 'a', 1);
ASSERT VALUES n (k, n) VALUES ('a', 2);

--@test: a join that changes starts anew
--@expected.error: KsqlException
CREATE STREAM l (k STRING KEY, v INT) WITH (KAFKA_TOPIC='l', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='r', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM j AS SELECT l.k AS k, v, w FROM l JOIN r WITHIN 1 MINUTE ON l.k = r.k;
CREATE OR REPLACE STREAM j AS SELECT l.k AS k, v, w FROM l JOIN r WITHIN 2 MINUTES ON l.k = r.k;

--@test: a script of two statements stands for itself
RUN SCRIPT 'foo-to-bar.sql';
INSERT INTO foo (rowtime, id, col1) VALUES (7, 1, 2);
ASSERT VALUES bar (rowtime, id, col1) VALUES (7, 1, 2);

--@test: a record that differs is an assertion that failed
--@expected.error: java.lang.AssertionError
RUN SCRIPT 'foo-to-bar.sql';
INSERT INTO foo (id, col1) VALUES (1, 2);
ASSERT VALUES bar (id, col1) VALUES (1, 3);

--@test: a record that is not there is an assertion that failed
--@expected.error: java.lang.AssertionError
RUN SCRIPT 'foo-to-bar.sql';
ASSERT VALUES bar (id, col1) VALUES (1, 3);

--@test: columns that are not listed are not compared
CREATE STREAM s (k STRING KEY, v INT, w ARRAY<INT>) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
INSERT INTO s (k, v, w) VALUES ('a', 1, ARRAY[1, 2]);
ASSERT VALUES s (k, w) VALUES ('a', ARRAY[1, 2]);
ASSERT STREAM s (k STRING KEY, v INT, w ARRAY<INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
