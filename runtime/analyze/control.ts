// The meaning of statements that look at or steer what there is: DROP, SHOW, DESCRIBE, EXPLAIN, SET and their kin; knows no query's clauses.

import { exhaustive } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/nearest.ts';
import { isBuiltInType, resolveType } from '../catalog/types.ts';
import type { DropSource, Name, Show, Statement } from '../sql/ast.ts';
import type { AnalyzeOptions, ControlAnalysis, Shown } from './analysis.ts';
import { analyzeStatement, type ControlStatement, none } from './analyze.ts';

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
      options.catalog.query(subject.query.text, subject.query.at);
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
    case 'Terminate': {
      if (statement.query === null) {
        return { kind: 'terminate', queries: [...options.catalog.queries.keys()] };
      }
      return {
        kind: 'terminate',
        queries: [options.catalog.query(statement.query.text, statement.query.at).id],
      };
    }
    case 'Set':
      return { kind: 'set', property: statement.property, value: statement.value };
    case 'Unset':
      return { kind: 'set', property: statement.property, value: null };
    case 'Show':
      return { kind: 'show', target: shown(statement), extended: statement.extended };
    case 'Describe':
      return {
        kind: 'describe',
        sources: [options.catalog.source(statement.source.text, statement.source.at)],
        extended: statement.extended,
      };
    case 'DescribeStreams': {
      const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
      return {
        kind: 'describe',
        sources: [...options.catalog.sources.values()].filter((source) => source.kind === kind),
        extended: statement.extended,
      };
    }
    case 'DescribeFunction':
      return describeFunction(statement.function, options);
    case 'AlterSource':
    case 'CreateConnector':
    case 'DropConnector':
    case 'Pause':
    case 'Resume':
    case 'AlterSystem':
    case 'Define':
    case 'Undefine':
    case 'DescribeConnector':
    case 'Print':
    case 'AssertValues':
    case 'AssertTombstone':
    case 'AssertSource':
    case 'AssertTopic':
    case 'AssertSchema':
      throw new StatementError(
        'UNSUPPORTED',
        `${statementName(statement)} is not supported yet`,
        statement.at,
      );
    case 'RunScript':
      // As in ksqlDB, the grammar has it for the runner of SQL tests alone.
      throw new StatementError(
        'SYNTAX',
        'RUN SCRIPT stands in scripts of tests only',
        statement.at,
        'Send the statements of the script themselves.',
      );
    default:
      return exhaustive(statement);
  }
}

/** The first words of the statement, as it was written. */
function statementName(statement: Statement): string {
  const [first = '', second = ''] = statement.text.split(/\s+/);
  return statement.kind === 'Print' || statement.kind === 'Pause' || statement.kind === 'Resume'
    ? first.toUpperCase()
    : `${first} ${second}`.toUpperCase();
}

function dropSource(statement: DropSource, { catalog }: AnalyzeOptions): ControlAnalysis {
  const { text, at } = statement.name;
  const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
  const known = catalog.sources.get(text);
  if (known === undefined && statement.ifExists) return none(`There is no ${kind} ${text}.`);
  const source = catalog.source(text, at);
  if (source.kind !== kind) {
    throw new StatementError(
      'INVALID',
      `${text} is a ${source.kind}`,
      at,
      `Write DROP ${source.kind.toUpperCase()}.`,
    );
  }
  if (statement.deleteTopic && source.readOnly) {
    throw new StatementError(
      'INVALID',
      `${text} is read-only: its topic stays`,
      at,
      'Leave DELETE TOPIC out.',
    );
  }
  catalog.refuseDrop(text, at);
  const terminates =
    source.query !== null && catalog.queries.has(source.query) ? source.query : null;
  return { kind: 'dropSource', source, terminates, deleteTopic: statement.deleteTopic };
}

function shown(statement: Show): Shown {
  switch (statement.target) {
    case 'VARIABLES':
    case 'CONNECTORS':
    case 'CONNECTOR PLUGINS':
      throw unsupportedShow(statement.target, statement.at);
    default:
      return statement.target;
  }
}

function unsupportedShow(target: string, at: Position): StatementError {
  return new StatementError('UNSUPPORTED', `SHOW ${target} is not supported yet`, at);
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
