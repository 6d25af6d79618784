// Lists what a query reads; knows no join's meaning.

import type { Source } from '../catalog/source.ts';
import type { From } from './analysis.ts';

/** The sources in the order of FROM, the first of which the sink takes after; each once. */
export function sourcesOf(from: From): readonly [Source, ...Source[]] {
  if (from.from === 'source') return [from.source];
  const left = sourcesOf(from.left.from);
  const { source } = from.right.from;
  return left.includes(source) ? left : [...left, source];
}
