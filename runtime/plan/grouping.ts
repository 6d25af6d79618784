// What a grouping asks of topics: whether its rows must move, in which format keys are hashed.

import type { Relation, Source } from '../catalog/source.ts';
import { columnsWithRole } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';
import type { Layout } from './remap.ts';

/**
 * True when the new key is the key of the source, so that no row need move.
 * @param layout where the row's columns stand in what the steps before emit: columns of one place are equal
 */
export function keepsKey(
  { keys }: { readonly keys: readonly Expr[] },
  source: Relation,
  layout: Layout,
): boolean {
  const own = columnsWithRole(source.schema, 'key').map((index) => layout.get(index));
  // A windowed key is more than its columns.
  return (
    source.window === null &&
    keys.length === own.length &&
    keys.every((key, index) => key.expr === 'column' && layout.get(key.index) === own[index])
  );
}

/** The format in which the grouping key is hashed: the sink's, so that the topics are co-partitioned. */
export function repartitionFormat(
  sink: Source | null,
  source: Relation,
  keyColumns: number,
): FormatSpec {
  if (sink !== null) return sink.keyFormat;
  const { keyFormat } = source;
  const fits = keyFormat.format !== 'NONE' && (keyFormat.format !== 'KAFKA' || keyColumns === 1);
  return fits ? keyFormat : { format: 'JSON', options: [], wrap: false };
}
