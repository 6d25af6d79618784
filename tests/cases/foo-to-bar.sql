-- A stream and a copy of it: what RUN SCRIPT runs in tests.
CREATE STREAM foo (id INT KEY, col1 INT) WITH (KAFKA_TOPIC='foo', VALUE_FORMAT='JSON');
CREATE STREAM bar AS SELECT * FROM foo;
