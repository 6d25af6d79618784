// The plan of a SOURCE TABLE: a query that only keeps its rows, for pull queries; knows no statement's clauses.

import type { PersistentQuery } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import { schema } from '../data/schema.ts';
import type { PlanningOptions } from './lower.ts';
import { type Plan, PLAN_VERSION } from './step.ts';

const TABLE = '1';

/** One task a partition, one step: whatever is in the topic is kept, from its beginning. */
export function planSourceTable(
  source: Source,
  query: PersistentQuery,
  { strictTimestamps }: Pick<PlanningOptions, 'strictTimestamps'>,
): Plan {
  const { name, kind, topic, partitions, keyFormat, valueFormat, window, timestamp, headers } =
    source;
  return {
    version: PLAN_VERSION,
    query: query.id,
    kind: 'persistent',
    statement: query.statement,
    internalTopics: [],
    subtopologies: [
      {
        id: 0,
        partitions,
        steps: [
          {
            step: 'source',
            id: TABLE,
            source: name,
            kind,
            topic,
            keyFormat,
            valueFormat,
            window,
            timestamp,
            headers,
            sourceSchema: schema(
              source.schema.columns.filter(({ role }) => role === 'key' || role === 'value'),
            ),
            schema: source.schema,
            materialized: true,
          },
        ],
      },
    ],
    materialized: {
      subtopology: 0,
      table: TABLE,
      schema: source.schema,
      window: null,
      after: [],
      keyFormat,
      holds: 'row',
    },
    fused: { fused: true, why: 'nothing is repartitioned' },
    from: 'earliest',
    ...(strictTimestamps === true ? { strictTimestamps } : {}),
  };
}
