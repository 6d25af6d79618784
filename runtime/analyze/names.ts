// Names the columns of a projection: aliases, column names and generated ones; knows no types.

import type { Position } from '../base/errors.ts';
import type { Column, Expression, Name } from '../sql/ast.ts';

/** One item of a SELECT after `*` is expanded. */
export interface Item {
  readonly node: Expression;
  readonly alias: Name | null;
  /** It comes from `*`. */
  readonly star: boolean;
  readonly at: Position;
}

/** An item with the name of the column that it makes. */
export interface NamedItem extends Item {
  readonly name: string;
}

/**
 * Names every item: its alias, else the column's or the field's own name, else `KSQL_COL_0`, `KSQL_COL_1`... in order.
 * Generated names step aside for the columns of the sources.
 * @param nameOf what an item is called that is only a column
 */
export function named(
  items: readonly Item[],
  sourceColumns: ReadonlySet<string>,
  nameOf: (column: Column) => string,
): NamedItem[] {
  const used = new Set<string>();
  let next = 0;
  const generated = (): string => {
    let name = `KSQL_COL_${next++}`;
    while (sourceColumns.has(name)) name = `KSQL_COL_${next++}`;
    return name;
  };
  return items.map((item) => {
    const { node, alias } = item;
    const name =
      alias?.text ??
      (node.kind === 'Column' ? nameOf(node) : fieldName(node, sourceColumns, used)) ??
      generated();
    used.add(name);
    return { ...item, name };
  });
}

function fieldName(
  node: Expression,
  sourceColumns: ReadonlySet<string>,
  used: ReadonlySet<string>,
): string | null {
  if (node.kind !== 'Field') return null;
  const base = node.field.text;
  let name = base;
  for (let n = 1; sourceColumns.has(name) || used.has(name); n++) name = `${base}_${n}`;
  return name;
}
