-- Earthquakes of one week, by network and hour, corrected as late reports come in.
--
-- quakes.ndjson holds 1,707 earthquakes in the order of their arrival, made by `npm run prepare:examples` from the npm package
-- vega-datasets (United States Geological Survey, public domain). The data has no time of arrival: `updated`, the time of the
-- last revision, stands in for it.

-- `time` is when the earth shook: the record's event time. Many reports come hours or days after it, out of order.
CREATE STREAM quakes (id STRING KEY, net STRING, type STRING, status STRING, mag DOUBLE, place STRING, sig INT,
                      lon DOUBLE, lat DOUBLE, depth DOUBLE, time BIGINT, updated BIGINT)
  WITH (KAFKA_TOPIC='quakes', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='time');

-- Each hour stays open until event time is six hours past its end; 736 records come later than that and are dropped,
-- 971 change the table, which ends with 556 rows.
CREATE TABLE quakes_per_hour AS
  SELECT net, COUNT(*) AS n, MAX(mag) AS strongest, SUM(sig) AS significance
  FROM quakes WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 6 HOURS) GROUP BY net EMIT CHANGES;
