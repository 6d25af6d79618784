// The pages of docs/sql say what the code does: the generated ones are up to date, and every example parses and, where marked, analyses.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { sqlReference } from '../../../scripts/sql-reference.ts';
import { Session } from '../../conformance/script.ts';

const folder = resolve(import.meta.dirname, '../../../docs/sql');
const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(resolve(folder, name), 'utf8') }));
const textOf = (name: string): string | undefined => pages.find((page) => page.name === name)?.text;

test.each([...sqlReference()])('%s is what `npm run docs:sql` writes', (name, text) => {
  expect(textOf(name)).toBe(text);
});

test('the pages are there, and the README links to them', () => {
  const names = pages.map(({ name }) => name).toSorted();
  expect(names).toEqual([
    'differences.md',
    'functions.md',
    'properties.md',
    'statements.md',
    'types.md',
  ]);
  const readme = readFileSync(resolve(folder, '../../README.md'), 'utf8');
  for (const name of names) expect(readme).toContain(`docs/sql/${name}`);
});

test('every function has a description that ends as a sentence', () => {
  const registry = builtinRegistry();
  const poor = registry.names.flatMap((name) =>
    registry.overloads(name).filter(({ description }) => !/^.{10,}[.]$/s.test(description)),
  );
  expect(poor.map(({ name, description }) => [name, description])).toEqual([]);
});

interface Block {
  readonly page: string;
  /** Where its first line stands on the page, counted from 1. */
  readonly line: number;
  readonly sql: string;
  readonly isAnalysed: boolean;
}

/** The blocks of SQL on all pages, in their order. */
function blocks(): Block[] {
  return pages.flatMap(({ name, text }) =>
    [...text.matchAll(/^```sql( analyse)?\n(.*?)^```$/gms)].map((found) => ({
      page: name,
      line: text.slice(0, found.index).split('\n').length + 1,
      sql: found[2] ?? '',
      isAnalysed: found[1] !== undefined,
    })),
  );
}

test('blocks of SQL are found, and every fence of SQL is one', () => {
  const fences = pages.flatMap(({ text }) => text.match(/^```sql/gm) ?? []);
  expect(blocks().length).toBe(fences.length);
  expect(blocks().length).toBeGreaterThan(15);
});

describe('examples', () => {
  test.each(blocks())('$page:$line parses', ({ sql }) => {
    expect(parse(sql).length).toBeGreaterThan(0);
  });

  test.each(pages.map(({ name }) => name))('those of %s that are marked analyse', (name) => {
    const session = new Session(new Map());
    const faults: string[] = [];
    for (const { page, line, sql, isAnalysed } of blocks()) {
      if (page !== name || !isAnalysed) continue;
      for (const statement of parse(sql)) {
        try {
          session.run(statement);
        } catch (thrown) {
          if (!(thrown instanceof StatementError)) throw thrown;
          const { position, message } = thrown;
          faults.push(`${page}:${line + (position?.line ?? 1) - 1}: ${message}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
