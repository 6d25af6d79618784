// Functions whose code nobody has fetched: a process of its own, since these tests' process has fetched every part.

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/source-files.ts';

/** Carries the statements out on a fresh engine. @returns per statement what it answers, or how it is refused */
function answersOf(...statements: readonly string[]): string[] {
  const script = `
    import { open } from './runtime/engine/open.ts';
    import { memoryHost } from './runtime/memory/memory-host.ts';
    import { REGEXP_BODIES } from './runtime/functions/regexp-part.ts';
    const isThere = () => { try { return REGEXP_BODIES.code !== null; } catch { return false; } };
    const engine = await open({ host: memoryHost() });
    const answers = [];
    for (const sql of ${JSON.stringify(statements)}) {
      const answer = await engine.execute(sql).then(JSON.stringify, String);
      answers.push(\`\${isThere()} \${answer}\`);
    }
    await engine.close();
    console.log(JSON.stringify(answers));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return JSON.parse(stdout === '' ? JSON.stringify([stderr]) : stdout);
}

const STREAM = `CREATE STREAM s (k STRING KEY, v STRING)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

test('a query that calls a function fetches it, and regular expressions come with their first call', () => {
  const answers = answersOf(
    STREAM,
    'CREATE STREAM o AS SELECT k, LPAD(v, 3, v) AS w FROM s;',
    "CREATE STREAM p AS SELECT k, REGEXP_REPLACE(v, 'b+', 'x') AS w FROM s;",
  );
  expect(answers).toEqual([
    expect.stringMatching(/^false .*SUCCESS/u),
    expect.stringMatching(/^false .*SUCCESS/u),
    expect.stringMatching(/^true .*SUCCESS/u),
  ]);
});

test('a call in VALUES fetches what it needs', () => {
  const [, inserted] = answersOf(
    STREAM,
    "INSERT INTO s (k, v) VALUES ('a', REGEXP_EXTRACT('b+', 'abbc'));",
  );
  expect(inserted).toMatch(/^true \[/u);
});

test('functions are shown, described and missed by name', () => {
  const [shown, described, , missed] = answersOf(
    'SHOW FUNCTIONS;',
    'DESCRIBE FUNCTION mask_left;',
    STREAM,
    'CREATE STREAM o AS SELECT k, MASQ(v) AS w FROM s;',
  );
  expect(shown).toContain('"REGEXP_EXTRACT"');
  expect(described).toContain('MASK_LEFT');
  expect(missed).toContain('there is no function MASQ');
});
