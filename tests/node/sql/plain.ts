// Trees without their places and source texts, so that tests compare what was written and not where; knows no statement.

/** A deep copy of a syntax tree without `at` and without the `text` of statements. */
export function plain(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(plain);
  if (typeof tree !== 'object' || tree === null) return tree;
  const kind = 'kind' in tree ? tree.kind : null;
  const entries = Object.entries(tree)
    .filter(([key]) => key !== 'at')
    // Names have a text of their own but no kind, a decimal's text is its value; any other text is source.
    .filter(([key]) => key !== 'text' || kind === null || kind === 'Decimal')
    .map(([key, value]) => [key, plain(value)] as const);
  return Object.fromEntries(entries);
}
