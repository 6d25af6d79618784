-- What only scripts of tests can say: records and sources as they are after each statement.

--@test: records are asserted one after the other, tombstones too
CREATE TABLE prices (item STRING PRIMARY KEY, cents INT) WITH (KAFKA_TOPIC='prices', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE dear AS SELECT item, cents FROM prices WHERE cents > 100;
INSERT INTO prices (item, cents) VALUES ('tea', 150);
ASSERT VALUES dear (item, cents) VALUES ('tea', 150);
INSERT INTO prices (item, cents) VALUES ('tea', 90);
ASSERT NULL VALUES dear (item) KEY ('tea');

--@test: sources are asserted with their columns
CREATE STREAM sales (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='sales', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE TABLE totals AS SELECT shop, SUM(cents) AS cents FROM sales GROUP BY shop;
ASSERT STREAM sales (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='sales', VALUE_FORMAT='JSON');
ASSERT TABLE totals (shop STRING PRIMARY KEY, cents INT) WITH (KAFKA_TOPIC='TOTALS', VALUE_FORMAT='JSON');

--@test: a record that is another one is found
--@expected.error: AssertionError
CREATE STREAM sales (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='sales', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM doubled AS SELECT shop, cents * 2 AS cents FROM sales;
INSERT INTO sales (shop, cents) VALUES ('a', 1);
ASSERT VALUES doubled (shop, cents) VALUES ('a', 3);

--@test: a query that is terminated writes no more
CREATE STREAM sales (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='sales', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM small (shop STRING KEY, cents INT) WITH (KAFKA_TOPIC='small', PARTITIONS=1, VALUE_FORMAT='JSON');
INSERT INTO small WITH (QUERY_ID='FILL_SMALL') SELECT * FROM sales WHERE cents < 10;
INSERT INTO sales (shop, cents) VALUES ('a', 1);
TERMINATE FILL_SMALL;
INSERT INTO sales (shop, cents) VALUES ('a', 2);
INSERT INTO small WITH (QUERY_ID='FILL_SMALL') SELECT * FROM sales WHERE cents < 10;
INSERT INTO sales (shop, cents) VALUES ('a', 3);
ASSERT VALUES small (shop, cents) VALUES ('a', 1);
ASSERT VALUES small (shop, cents) VALUES ('a', 3);
