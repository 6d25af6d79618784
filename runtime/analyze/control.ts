// The meaning of statements that look at or steer what there is: DROP, SHOW, DESCRIBE, EXPLAIN, SET and their kin; knows no query's clauses.

import { exhaustive } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import { queryOf, refuseDrop } from '../catalog/rare-changes.ts';
import { resolveType } from '../catalog/types.ts';
import { isBuiltInType } from '../catalog/rarer-types.ts';
import type { Source } from '../catalog/source.ts';
import type { DropSource, Name, Show, SourceType, SwapSources } from '../sql/ast.ts';
import type { AnalyzeOptions, ControlAnalysis } from './analysis.ts';
import { analyzeStatement, type ControlStatement } from './analyze.ts';
import { none } from './rare-sources.ts';
import { analyzeAssertTopic, timeoutMs } from './assert-topic.ts';
import { RARE_SOURCES } from './parts.ts';
import { checkedProperty } from './session-properties.ts';

export { checkedProperties } from './session-properties.ts';

/**
 * What the statement means against one version of the catalog. Changes nothing.
 * @throws {StatementError}
 */
export function analyzeControl(
  statement: ControlStatement,
  options: AnalyzeOptions,
): ControlAnalysis {
  switch (statement.kind) {
    case 'Explain': {
      const { subject } = statement;
      if (subject.kind === 'ExplainStatement') {
        return {
          kind: 'explain',
          subject: { kind: 'analysis', analysis: analyzeStatement(subject.statement, options) },
        };
      }
      queryOf(options.catalog, subject.query.text, subject.query.at);
      return { kind: 'explain', subject: { kind: 'query', id: subject.query.text } };
    }
    case 'DropSource':
      return dropSource(statement, options);
    case 'CreateType': {
      const name = statement.name.text;
      if (options.catalog.types.has(name) || isBuiltInType(name)) {
        if (statement.ifNotExists) return none(`The type ${name} exists already.`);
        throw new StatementError(
          'ALREADY_EXISTS',
          `the type ${name} exists already`,
          statement.name.at,
        );
      }
      return { kind: 'createType', name, type: resolveType(statement.type, options.catalog.types) };
    }
    case 'DropType': {
      const name = statement.name.text;
      if (options.catalog.types.has(name)) return { kind: 'dropType', name };
      if (statement.ifExists) return none(`There is no type ${name}.`);
      throw new StatementError(
        'INVALID',
        `there is no type ${name}`,
        statement.name.at,
        didYouMean(name, options.catalog.types.keys()),
      );
    }
    case 'Terminate':
      return { kind: 'terminate', queries: terminated(statement.query, options) };
    case 'Pause':
    case 'Resume':
      return {
        kind: 'pause',
        queries: queriesNamed(statement.query, options),
        paused: statement.kind === 'Pause',
      };
    case 'Set':
    case 'Unset':
    case 'AlterSystem': {
      const value = statement.kind === 'Unset' ? null : statement.value;
      const property = checkedProperty(statement.property, value, statement.at);
      return { kind: 'set', property, value, system: statement.kind === 'AlterSystem' };
    }
    case 'Define':
      return { kind: 'define', variable: statement.variable.text, value: statement.value };
    case 'Undefine':
      return { kind: 'define', variable: statement.variable.text, value: null };
    case 'AlterSource':
      return RARE_SOURCES.code.analyzeAlter(statement, options);
    case 'SwapSources':
      return swap(statement, options);
    case 'AssertTopic':
      return analyzeAssertTopic(statement, options);
    case 'Show':
      return shown(statement, options);
    case 'Describe':
      return {
        kind: 'describe',
        sources: [options.catalog.source(statement.source.text, statement.source.at)],
        extended: statement.extended,
        many: false,
      };
    case 'DescribeStreams':
      return describedAll(statement.sourceType, statement.extended, options);
    case 'DescribeFunction':
      return describeFunction(statement.function, options);
    case 'CreateConnector':
      throw withoutConnectors(`the connector ${statement.name.text} cannot be made`, statement.at);
    case 'DropConnector':
      throw withoutConnectors(`there is no connector ${statement.name.text}`, statement.at);
    case 'DescribeConnector':
      throw withoutConnectors(`there is no connector ${statement.connector.text}`, statement.at);
    case 'Print':
      throw new StatementError(
        'INVALID',
        'PRINT is a query, not a statement to execute',
        statement.at,
        'Send it to print().',
      );
    case 'AssertSchema':
      throw new StatementError(
        'UNSUPPORTED',
        'ASSERT SCHEMA needs a schema registry',
        statement.at,
        'ASSERT TOPIC looks at topics.',
      );
    case 'AssertValues':
    case 'AssertTombstone':
    case 'AssertSource':
    case 'RunScript':
      // As in ksqlDB, the grammar has them for the runner of SQL tests alone.
      throw new StatementError(
        'SYNTAX',
        `${statement.kind === 'RunScript' ? 'RUN SCRIPT' : 'this ASSERT'} stands in scripts of tests only`,
        statement.at,
        statement.kind === 'RunScript'
          ? 'Send the statements of the script themselves.'
          : 'Ask with DESCRIBE or SELECT.',
      );
    default:
      return exhaustive(statement);
  }
}

function withoutConnectors(what: string, at: Position): StatementError {
  return new StatementError(
    'UNSUPPORTED',
    `${what}: connectors are not supported`,
    at,
    'Produce to a topic, or read it, from a program.',
  );
}

/** The persistent queries that a statement means: one, or ALL. */
function queriesNamed(name: Name | null, { catalog }: AnalyzeOptions): readonly string[] {
  return name === null ? [...catalog.queries.keys()] : [queryOf(catalog, name.text, name.at).id];
}

/** A SOURCE TABLE is nothing without the query that keeps its rows. */
function terminated(name: Name | null, options: AnalyzeOptions): readonly string[] {
  const { queries } = options.catalog;
  const isOfSource = (id: string): boolean => {
    const query = queries.get(id);
    return query?.writes === null && query.outputs === undefined;
  };
  const named = queriesNamed(name, options);
  if (name === null) return named.filter((id) => !isOfSource(id));
  if (!isOfSource(name.text)) return named;
  const [table] = queries.get(name.text)?.reads ?? [];
  throw new StatementError(
    'INVALID',
    `the query ${name.text} keeps the rows of the SOURCE TABLE ${table}`,
    name.at,
    `DROP TABLE ${table} ends it.`,
  );
}

/** A stream or table that statements have made and may take away or rename. @throws {StatementError} UNKNOWN_SOURCE, INVALID, IN_USE */
function madeSource(
  { text, at }: Name,
  { verb, sourceType }: { readonly verb: string; readonly sourceType: SourceType },
  { catalog }: AnalyzeOptions,
): Source {
  const source = catalog.source(text, at);
  const kind = source.kind.toUpperCase();
  if (kind !== sourceType) {
    const hint = `Write ${verb} ${kind}.`;
    throw new StatementError('INVALID', `${text} is a ${source.kind}`, at, hint);
  }
  if (source.processor !== undefined) {
    throw new StatementError(
      'IN_USE',
      `${text} is the state of the processor ${source.processor}`,
      at,
      `TERMINATE ${source.query} takes it away.`,
    );
  }
  if (source.statement === '') {
    throw new StatementError('IN_USE', `${text} is millrace's own`, at);
  }
  return source;
}

function dropSource(statement: DropSource, options: AnalyzeOptions): ControlAnalysis {
  const { catalog } = options;
  const { name, sourceType, ifExists } = statement;
  const { text, at } = name;
  if (ifExists && !catalog.sources.has(text))
    return none(`There is no ${sourceType.toLowerCase()} ${text}.`);
  const source = madeSource(name, { verb: 'DROP', sourceType }, options);
  const others = [...catalog.sources.values()].filter(
    (other) => other !== source && other.topic === source.topic,
  );
  if (statement.deleteTopic && (source.readOnly || others.length > 0)) {
    throw new StatementError(
      source.readOnly ? 'INVALID' : 'IN_USE',
      source.readOnly
        ? `${text} is read-only: its topic stays`
        : `the topic ${source.topic} is also that of ${others.map((other) => other.name).join(', ')}`,
      at,
      'Leave DELETE TOPIC out.',
    );
  }
  refuseDrop(catalog, text, at);
  const terminates =
    source.query !== null && catalog.queries.has(source.query) ? source.query : null;
  return { kind: 'dropSource', source, terminates, deleteTopic: statement.deleteTopic };
}

function swap(statement: SwapSources, options: AnalyzeOptions): ControlAnalysis {
  const { name, other, sourceType, timeout } = statement;
  const verb = 'ALTER';
  if (name.text === other.text) {
    const message = `${name.text} cannot be swapped with itself`;
    throw new StatementError('INVALID', message, other.at, 'Name what is to take its place.');
  }
  return {
    kind: 'swap',
    source: madeSource(name, { verb, sourceType }, options),
    other: madeSource(other, { verb, sourceType }, options),
    timeoutMs: timeoutMs(timeout),
  };
}

function shown(statement: Show, options: AnalyzeOptions): ControlAnalysis {
  const { target, extended, all, at } = statement;
  switch (target) {
    case 'CONNECTORS':
    case 'CONNECTOR PLUGINS':
      throw withoutConnectors(`there are no ${target.toLowerCase()}`, at);
    case 'STREAMS':
    case 'TABLES':
      if (extended) return describedAll(target === 'TABLES' ? 'TABLE' : 'STREAM', true, options);
      return { kind: 'show', target, extended, all };
    default:
      return { kind: 'show', target, extended, all };
  }
}

function describedAll(
  type: 'STREAM' | 'TABLE',
  extended: boolean,
  { catalog }: AnalyzeOptions,
): ControlAnalysis {
  const kind = type === 'TABLE' ? 'table' : 'stream';
  const sources = [...catalog.sources.values()].filter((source) => source.kind === kind);
  return { kind: 'describe', sources, extended, many: true };
}

function describeFunction(name: Name, { registry }: AnalyzeOptions): ControlAnalysis {
  const found = name.text.toUpperCase();
  if (registry.has(found)) return { kind: 'describeFunction', function: found };
  throw new StatementError(
    'UNKNOWN_FUNCTION',
    `there is no function ${found}`,
    name.at,
    didYouMean(found, registry.names, 'SHOW FUNCTIONS lists what there is.'),
  );
}
