// The way from a statement to its meaning: one case for each kind of statement; knows no plan and no host.

import { exhaustive } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/nearest.ts';
import { isBuiltInType, resolveType } from '../catalog/types.ts';
import type { CreateAs, CreateSource, DropSource, Name, Show, Statement } from '../sql/ast.ts';
import type { Analysis, AnalyzeOptions, ControlAnalysis, Shown } from './analysis.ts';
import { analyzeCreateSource, checkName } from './create.ts';
import { analyzeInsertValues } from './insert-values.ts';
import { analyzePull } from './pull.ts';
import { analyzeCreateAs, analyzeInsertSelect, analyzePush } from './query.ts';

/**
 * What the statement means against one version of the catalog. Changes nothing.
 * @throws {StatementError} with code, position and hint; nothing else
 */
export function analyzeStatement(statement: Statement, options: AnalyzeOptions): Analysis {
  switch (statement.kind) {
    case 'CreateSource':
      return existing(statement, options) ?? analyzeCreateSource(statement, options);
    case 'CreateAs':
      return existing(statement, options) ?? analyzeCreateAs(statement, options);
    case 'InsertSelect':
      return analyzeInsertSelect(statement, options);
    case 'InsertValues':
      return analyzeInsertValues(statement, options);
    case 'Select':
      return statement.query.emit === null
        ? analyzePull(statement, options)
        : analyzePush(statement, options);
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
    case 'RunScript':
      throw new StatementError(
        'UNSUPPORTED',
        `${statementName(statement)} is not supported yet`,
        statement.at,
      );
    default:
      return exhaustive(statement);
  }
}

function none(message: string): ControlAnalysis {
  return { kind: 'none', message };
}

/** The first words of the statement, as it was written. */
function statementName(statement: Statement): string {
  const [first = '', second = ''] = statement.text.split(/\s+/);
  return statement.kind === 'Print' || statement.kind === 'Pause' || statement.kind === 'Resume'
    ? first.toUpperCase()
    : `${first} ${second}`.toUpperCase();
}

/** Refuses a name that is taken, or says that nothing is to be done where IF NOT EXISTS allows it. */
function existing(
  statement: CreateSource | CreateAs,
  { catalog }: AnalyzeOptions,
): ControlAnalysis | null {
  checkName(statement.name);
  const { text, at } = statement.name;
  const known = catalog.sources.get(text);
  if (known === undefined) return null;
  if (statement.ifNotExists) return none(`The ${known.kind} ${text} exists already.`);
  if (statement.orReplace) {
    throw new StatementError(
      'UNSUPPORTED',
      `CREATE OR REPLACE of the existing ${known.kind} ${text} is not supported yet`,
      at,
      'DROP it first.',
    );
  }
  throw new StatementError(
    'ALREADY_EXISTS',
    `the ${known.kind} ${text} exists already`,
    at,
    'Choose another name, DROP it first, or write IF NOT EXISTS.',
  );
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
