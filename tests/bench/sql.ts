// Suite `sql`: from a statement's text to its plan, and the longest text to its tree; knows no engine and no data.

import type { AnalyzeOptions } from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { STATEMENT_BYTES_MAX } from '../../runtime/base/limits.ts';
import { Catalog } from '../../runtime/catalog/catalog.ts';
import { loadParts } from '../../runtime/engine/parts.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { type CaseResult, type SuiteResult, summary } from './run.ts';

const SOURCE = `CREATE STREAM quakes (id STRING KEY, net STRING, mag DOUBLE)
  WITH (KAFKA_TOPIC='quakes', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const STATEMENT =
  'CREATE TABLE t AS SELECT net, COUNT(*) AS n FROM quakes WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY net;';
const ROUNDS = 501;
const LONG_ROUNDS = 31;
const WARMUPS = 20;

/** What a statement is analyzed against: one stream. */
function optionsOf(): AnalyzeOptions {
  const options = {
    catalog: Catalog.empty,
    registry: builtinRegistry(),
    formats: FORMATS,
    properties: new Map<string, string>(),
    queryNumber: 0,
  };
  const [create] = parse(SOURCE);
  const analysis = create === undefined ? null : analyzeStatement(create, options);
  if (analysis?.kind !== 'createSource') throw new Error('no stream');
  return { ...options, catalog: Catalog.empty.withSource(analysis.source) };
}

/** Parses, analyzes and plans; gives how many steps there are. */
function stepsOf(sql: string, options: AnalyzeOptions): number {
  const [statement] = parse(sql);
  const analysis = statement === undefined ? null : analyzeStatement(statement, options);
  if (analysis?.kind !== 'query') throw new Error('no query');
  const plan = planQuery(analysis, planningOptions(options.properties, true));
  return plan.subtopologies.flatMap(({ steps }) => steps).length;
}

/** The statement as often as it fits into the longest text. */
function longest(): string {
  const statements: string[] = [];
  let length = 0;
  for (let i = 0; ; i++) {
    const statement = STATEMENT.replace('TABLE t', `TABLE t${i}`);
    length += statement.length + 1;
    if (length > STATEMENT_BYTES_MAX) return statements.join('\n');
    statements.push(statement);
  }
}

function timed(of: Pick<CaseResult, 'case' | 'subject'>, rounds: number, run: () => number) {
  const times: number[] = [];
  const checksum = run();
  for (let round = -WARMUPS; round < rounds; round++) {
    const start = performance.now();
    const sum = run();
    const ms = performance.now() - start;
    if (sum !== checksum) throw new Error(`${of.case}: ${sum} is not ${checksum}`);
    if (round >= 0) times.push(ms);
  }
  return { ...of, unit: 'ms', ...summary(times) };
}

/** Figures are milliseconds, of one statement and of one text: less is better. */
export async function sqlSuite(): Promise<SuiteResult> {
  await loadParts();
  const options = optionsOf();
  const text = longest();
  const long = `a text of ${text.length} bytes`;
  return {
    suite: 'sql',
    cases: [
      timed(
        { case: `a statement of ${STATEMENT.length} bytes`, subject: 'parse, analyze, plan' },
        ROUNDS,
        () => stepsOf(STATEMENT, options),
      ),
      timed(
        { case: `a statement of ${STATEMENT.length} bytes`, subject: 'parse' },
        ROUNDS,
        () => parse(STATEMENT).length,
      ),
      timed({ case: long, subject: 'parse' }, LONG_ROUNDS, () => parse(text).length),
    ],
    ratios: {},
  };
}
