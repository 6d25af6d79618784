// Lines of the log: JSON with places, never what a record holds; and nothing but the log writes to the console.

import { afterEach, expect, test, vi } from 'vitest';
import { InvariantError, PortError, RecordError } from '../../../runtime/base/errors.ts';
import { log } from '../../../runtime/base/log.ts';
import { sourceFiles } from '../../support/source-files.ts';

afterEach(() => void vi.restoreAllMocks());

function lineOf(...given: Parameters<typeof log>): string {
  const written = vi.spyOn(console, given[0]).mockImplementation(() => undefined);
  log(...given);
  expect(written).toHaveBeenCalledTimes(1);
  const [line, ...rest] = written.mock.lastCall as [string];
  expect(rest).toEqual([]);
  return line;
}

test('a line is one JSON object of level, event, place and what was thrown', () => {
  const thrown = new PortError('CORRUPT', "topic 't' partition 1 is damaged at offset 7");
  const line = lineOf('error', 'partition-alarm', { topic: 't', partition: 1, thrown });
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    level: 'error',
    event: 'partition-alarm',
    topic: 't',
    partition: 1,
    error: 'PortError',
    code: 'CORRUPT',
    message: "topic 't' partition 1 is damaged at offset 7",
    stack: expect.stringContaining('    at '),
  });
  expect(JSON.parse(lineOf('info', 'started'))).toEqual({ level: 'info', event: 'started' });
});

test('a line names what the error was thrown for, one error deep', () => {
  const deepest = new Error('deepest');
  const cause = new TypeError('a value', { cause: deepest });
  const thrown = new PortError('UNAVAILABLE', 'an object did not answer', {}, { cause });
  const line = JSON.parse(lineOf('warn', 'call-repeats', { thrown }));
  expect(line.cause).toEqual({ error: 'TypeError', stack: expect.stringContaining('    at ') });
});

const SECRET = 'a payload\n    of two lines';
test.each([
  new RecordError('DESERIALIZATION', SECRET),
  new InvariantError(SECRET),
  new SyntaxError(`Unexpected token in JSON: ${SECRET}`),
  new Error('outer', { cause: new Error(SECRET) }),
  SECRET,
  { message: SECRET },
])('what quotes a record stays out of the line: %s', (thrown) => {
  const line = lineOf('warn', 'request-failed', { thrown });
  expect(line).not.toContain('payload');
  expect(line).not.toContain('two lines');
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', event: 'request-failed' });
});

test('a stack and a message of any length make a bounded line', () => {
  const thrown = new PortError('UNAVAILABLE', 'x'.repeat(100_000));
  thrown.stack = `PortError: x\n    at ${'y'.repeat(100_000)}`;
  expect(lineOf('error', 'request-failed', { thrown }).length).toBeLessThan(3500);
  const caused = new PortError('UNAVAILABLE', 'x'.repeat(100_000), {}, { cause: thrown });
  expect(lineOf('warn', 'request-failed', { thrown: caused }).length).toBeLessThan(7000);
});

/** Calls of the console in code: comments do not count. */
function consoleCalls(text: string): readonly string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
  return code.match(/\bconsole\s*[.[]\s*\w+/g) ?? [];
}

test('nothing else in runtime and edge writes to the console', () => {
  const files = sourceFiles(['runtime', 'edge']);
  expect(files.length).toBeGreaterThan(200);
  const writing = files.filter(({ text }) => consoleCalls(text).length > 0);
  // The second one says that the first could not be fetched.
  expect(writing.map(({ path }) => path)).toEqual([
    'runtime/base/log.ts',
    'runtime/task/log-later.ts',
  ]);
  expect(consoleCalls('  console.warn(1); // console.log\n/* console.log */')).toEqual([
    'console.warn',
  ]);
});
