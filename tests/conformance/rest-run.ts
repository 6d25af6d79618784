// Runs one case of the REST suite on a host, in memory where none is named, and says what differs from what it wants; knows no file.

import { StatementError } from '../../runtime/base/errors.ts';
import type { Case } from './case.ts';
import { engineHost } from './engine-host.ts';
import { isArray, isObject, type Json, writeJson } from './json.ts';
import { difference, readRecord } from './records.ts';
import { refusalOutcome } from './refusals.ts';
import { type ExpectedAnswer, type RestCase, restCase } from './rest-case.ts';
import { RestSession } from './rest-session.ts';
import type { Outcome, RunOptions } from './run-case.ts';

const PASSED: Outcome = { kind: 'passed' };

/** Never throws: what goes wrong is the outcome. */
export async function runRestCase(of: Case, options: RunOptions): Promise<Outcome> {
  try {
    const host = options.host ?? engineHost('memory', options.kernel);
    const wanted = host.saysEnd ? restCase(of) : withoutEnds(restCase(of));
    if (wanted.answers.some(({ kind }) => kind === 'queryProto')) {
      return { kind: 'unsupported', reason: 'answers in the format PROTOBUF' };
    }
    await using session = await RestSession.open(of, host, options);
    return await outcomeOf(of, wanted, session);
  } catch (thrown) {
    return failed(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
}

function withoutEnds(wanted: RestCase): RestCase {
  const isEnd = (element: Json): boolean => isObject(element) && element.has('finalMessage');
  const answers = wanted.answers.map((answer) =>
    answer.kind === 'query'
      ? { ...answer, elements: answer.elements.filter((element) => !isEnd(element)) }
      : answer,
  );
  return { ...wanted, answers };
}

function failed(why: string): Outcome {
  return { kind: 'failed', why };
}

async function outcomeOf(of: Case, wanted: RestCase, session: RestSession): Promise<Outcome> {
  const actual: Json[] = [];
  let isLast = wanted.queries.length === 0;
  try {
    actual.push(...(await session.execute(wanted.statements.join('\n'))));
    isLast = wanted.queries.length <= 1;
    actual.push(...(await answersOf(wanted, session)));
  } catch (thrown) {
    if (!(thrown instanceof StatementError)) throw thrown;
    // Both classes of error are the statement's fault: ksqlDB names the statement for pull queries only, we always do.
    const expected = wanted.refusal === null ? null : { type: null, message: messageOf(of) };
    const outcome = refusalOutcome(thrown, expected);
    if (outcome.kind !== 'passed' || isLast) return outcome;
    return failed(`refused too early: ${thrown.code} ${thrown.message}`);
  }
  if (wanted.refusal !== null) return failed('nothing was refused');
  const why = answersDifference(of, wanted, actual) ?? (await outputsDifference(of, session));
  return why === null ? PASSED : failed(why);
}

/** Decides whether an unknown function was expected to be one. */
function messageOf({ entry }: Case): string | null {
  const expected = entry.get('expectedError');
  const message = isObject(expected) ? expected.get('message') : null;
  return typeof message === 'string' ? message : null;
}

async function answersOf(wanted: RestCase, session: RestSession): Promise<readonly Json[]> {
  const answers: Json[] = [];
  const [first] = wanted.queries;
  if (wanted.isAskedFirst && first !== undefined) {
    const asked = await session.ask(first);
    await session.feed();
    answers.push(await asked.elements());
    return answers;
  }
  await session.feed();
  for (const sql of wanted.queries) answers.push(await (await session.ask(sql)).elements());
  return answers;
}

/** Answers are compared by their place; more than are expected may come. */
function answersDifference(of: Case, wanted: RestCase, actual: readonly Json[]): string | null {
  for (const [index, answer] of wanted.answers.entries()) {
    const got = actual[index];
    if (got === undefined) return `answer ${index} is missing`;
    const different = answerDifference(answer, got, wanted, of.statements[index] ?? '');
    if (different !== null) return `answer ${index}${different}`;
  }
  return null;
}

function answerDifference(
  answer: ExpectedAnswer,
  actual: Json,
  { inOrder }: RestCase,
  statement: string,
): string | null {
  if (answer.kind === 'admin') return listedDifference(answer.members, actual, statement, '');
  const elements = answer.kind === 'query' ? answer.elements : [];
  if (!isArray(actual)) return ' is no list of rows';
  if (elements.length !== actual.length) {
    const shown = actual.map(writeJson).join('\n');
    return `: expected ${elements.length} elements, got ${actual.length}:\n${shown}`;
  }
  const rows: (readonly [Json, Json])[] = [];
  for (const [index, element] of elements.entries()) {
    const got = actual[index] ?? null;
    const columns = columnsOf(element);
    if (columns !== null && !inOrder) {
      rows.push([columns, columnsOf(got) ?? got]);
      const different = listedDifference(withoutColumns(element), got, statement, `[${index}]`);
      if (different !== null) return different;
    } else {
      const different = listedDifference(element, got, statement, `[${index}]`);
      if (different !== null) return different;
    }
  }
  return multisetDifference(
    rows.map(([row]) => row),
    rows.map(([, row]) => row),
  );
}

function columnsOf(element: Json): Json | null {
  const row = isObject(element) ? element.get('row') : null;
  return isObject(row) ? (row.get('columns') ?? null) : null;
}

function withoutColumns(element: Json): Json {
  const row = isObject(element) ? element.get('row') : null;
  if (!isObject(row)) return element;
  return new Map([['row', new Map([...row].filter(([name]) => name !== 'columns'))]]);
}

function multisetDifference(expected: readonly Json[], actual: readonly Json[]): string | null {
  const left = [...actual];
  for (const row of expected) {
    const at = left.findIndex((got) => difference(row, got, true) === null);
    if (at < 0) {
      return `: no row is ${writeJson(row)}; left are ${left.map(writeJson).join(', ')}`;
    }
    left.splice(at, 1);
  }
  return null;
}

const STARTS_WITH = '|starts_with';

/** Only what is listed is compared. Ids of queries are names of the implementation: those of millrace are its own. */
function listedDifference(
  expected: Json,
  actual: Json,
  statement: string,
  at: string,
): string | null {
  if (typeof expected === 'string') {
    return difference(expected.replaceAll('{STATEMENT}', statement), actual, true, at);
  }
  if (!isObject(expected)) return difference(expected, actual, true, at);
  if (!isObject(actual)) return `${at}: expected ${writeJson(expected)}, got ${writeJson(actual)}`;
  for (const [name, wanted] of expected) {
    const isPrefix = name.endsWith(STARTS_WITH);
    const member = isPrefix ? name.slice(0, -STARTS_WITH.length) : name;
    if (member === 'queryId') continue;
    const got = actual.get(member) ?? null;
    const here = `${at}.${member}`;
    const agrees = typeof wanted === 'string' && typeof got === 'string' && got.startsWith(wanted);
    if (isPrefix && !agrees) return `${here}: got ${writeJson(got)}`;
    const different = isPrefix ? null : listedDifference(wanted, got, statement, here);
    if (different !== null) return different;
  }
  return null;
}

/** The first records of each topic that outputs name; what else is there is not looked at. */
async function outputsDifference(of: Case, session: RestSession): Promise<string | null> {
  for (const topic of new Set(of.outputs.map((record) => record.topic))) {
    const source = session.sourceOf(topic);
    const records = await session.records(topic);
    const expected = of.outputs.filter((record) => record.topic === topic);
    for (const [index, wanted] of expected.entries()) {
      const at = `${topic}[${index}]`;
      const record = records[index];
      if (record === undefined) return `${at} is missing`;
      if (wanted.timestampMs !== null && wanted.timestampMs !== record.timestamp) {
        return `${at} rowtime: expected ${wanted.timestampMs}, got ${record.timestamp}`;
      }
      const { key, value } = readRecord(record, source);
      const different =
        difference(wanted.key, key, true, 'key') ?? difference(wanted.value, value, true, 'value');
      if (different !== null) return `${at} ${different}`;
    }
  }
  return null;
}
