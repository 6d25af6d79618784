// Shows SQL with its words coloured, as text and spans; knows no engine.

import { made } from './dom.ts';
import { pieces } from './sql.ts';

export function showSql(where: Element, sql: string): void {
  where.replaceChildren(
    ...pieces(sql).map(({ kind, text }) =>
      kind === 'plain' ? document.createTextNode(text) : made('span', text, `sql-${kind}`),
    ),
  );
}
