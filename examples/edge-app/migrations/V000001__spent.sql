-- What each customer has spent, and on how many orders.
CREATE TABLE spent AS
  SELECT customer, COUNT(*) AS orders, SUM(cents) AS cents, EUROS(SUM(cents)) AS euros
  FROM orders GROUP BY customer EMIT CHANGES;
