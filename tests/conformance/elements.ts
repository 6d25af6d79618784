// What an engine gives for a query as the elements that `/query` has, as JSON; runs in Node and in a page. Knows no host.

import { answerText, rowTexts } from '../../edge/rows.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import type { QueryRows } from '../../runtime/engine/query-rows.ts';

export function headerText(rows: QueryRows): string {
  return JSON.stringify({ header: { schema: answerText(rows) } });
}

/** An element a row. */
export function elementTexts(batch: Batch): readonly string[] {
  return rowTexts(batch).map(
    ({ columns, isDelete }) =>
      `{"row":{"columns":${columns}${isDelete ? ',"tombstone":true' : ''}}}`,
  );
}
