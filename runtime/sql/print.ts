// Writes statements back as SQL, one line each and in one spelling; parsed again the text gives the same tree.

import { exhaustive } from '../base/assert.ts';
import type {
  ColumnConstraint,
  ColumnDefinition,
  Duration,
  Expression,
  Name,
  Property,
  Query,
  SelectItem,
  SourceReference,
  Statement,
  Window,
  Within,
} from './ast.ts';
import { formatName } from './format-name.ts';
import {
  printExpression,
  printLiteral,
  printOperand,
  printPrimary,
  printString,
  printType,
} from './print-expression.ts';

/** The SQL of a statement, without a closing `;`. `parse(print(s))` is `s` but for positions and `text`. */
export function print(statement: Statement): string {
  switch (statement.kind) {
    case 'CreateSource':
      return words(
        'CREATE',
        statement.orReplace && 'OR REPLACE',
        statement.readOnly && 'SOURCE',
        statement.sourceType,
        statement.ifNotExists && 'IF NOT EXISTS',
        name(statement.name),
        columns(statement.columns),
        properties(statement.properties),
      );
    case 'CreateAs':
      return words(
        'CREATE',
        statement.orReplace && 'OR REPLACE',
        statement.sourceType,
        statement.ifNotExists && 'IF NOT EXISTS',
        name(statement.name),
        properties(statement.properties),
        'AS',
        printQuery(statement.query),
      );
    case 'InsertSelect':
      return words(
        'INSERT INTO',
        name(statement.target),
        properties(statement.properties),
        printQuery(statement.query),
      );
    case 'InsertValues':
      return words(
        'INSERT INTO',
        name(statement.target),
        names(statement.columns),
        'VALUES',
        values(statement.values),
      );
    case 'AlterSource': {
      const additions = statement.additions.map(
        (added) => `ADD COLUMN ${name(added.name)} ${printType(added.type)}`,
      );
      return words('ALTER', statement.sourceType, name(statement.name), additions.join(', '));
    }
    case 'SwapSources':
      return words(
        'ALTER',
        statement.sourceType,
        name(statement.name),
        'SWAP WITH',
        name(statement.other),
        after('TIMEOUT', statement.timeout),
      );
    case 'DropSource':
      return words(
        'DROP',
        statement.sourceType,
        statement.ifExists && 'IF EXISTS',
        name(statement.name),
        statement.deleteTopic && 'DELETE TOPIC',
      );
    case 'CreateType':
      return words(
        'CREATE TYPE',
        statement.ifNotExists && 'IF NOT EXISTS',
        name(statement.name),
        'AS',
        printType(statement.type),
      );
    case 'DropType':
      return words('DROP TYPE', statement.ifExists && 'IF EXISTS', name(statement.name));
    case 'CreateConnector':
      return words(
        'CREATE',
        statement.connectorType,
        'CONNECTOR',
        statement.ifNotExists && 'IF NOT EXISTS',
        name(statement.name),
        properties(statement.properties),
      );
    case 'DropConnector':
      return words('DROP CONNECTOR', statement.ifExists && 'IF EXISTS', name(statement.name));
    case 'Terminate':
    case 'Pause':
    case 'Resume':
      return words(
        statement.kind.toUpperCase(),
        statement.query === null ? 'ALL' : name(statement.query),
      );
    case 'Set':
      return `SET ${printString(statement.property)} = ${printString(statement.value)}`;
    case 'Unset':
      return `UNSET ${printString(statement.property)}`;
    case 'AlterSystem':
      return `ALTER SYSTEM ${printString(statement.property)} = ${printString(statement.value)}`;
    case 'Define':
      return `DEFINE ${statement.variable.text} = ${printString(statement.value)}`;
    case 'Undefine':
      return `UNDEFINE ${statement.variable.text}`;
    case 'Show':
      return words(
        'SHOW',
        statement.all && 'ALL',
        statement.connectorType,
        statement.target,
        statement.extended && 'EXTENDED',
      );
    case 'Describe':
      return words('DESCRIBE', name(statement.source), statement.extended && 'EXTENDED');
    case 'DescribeStreams':
      return words('DESCRIBE', `${statement.sourceType}S`, statement.extended && 'EXTENDED');
    case 'DescribeFunction':
      return words('DESCRIBE FUNCTION', name(statement.function));
    case 'DescribeConnector':
      return words('DESCRIBE CONNECTOR', name(statement.connector));
    case 'Explain': {
      const { subject } = statement;
      return words(
        'EXPLAIN',
        subject.kind === 'ExplainQuery' ? name(subject.query) : print(subject.statement),
      );
    }
    case 'Print':
      return words(
        'PRINT',
        printString(statement.topic.text),
        statement.fromBeginning && 'FROM BEGINNING',
        statement.interval !== null && `INTERVAL ${statement.interval}`,
        statement.limit !== null && `LIMIT ${statement.limit}`,
      );
    case 'AssertValues':
      return words(
        'ASSERT VALUES',
        name(statement.source),
        names(statement.columns),
        'VALUES',
        values(statement.values),
      );
    case 'AssertTombstone':
      return words(
        'ASSERT NULL VALUES',
        name(statement.source),
        names(statement.columns),
        'KEY',
        values(statement.values),
      );
    case 'AssertSource':
      return words(
        'ASSERT',
        statement.sourceType,
        name(statement.name),
        columns(statement.columns),
        properties(statement.properties),
      );
    case 'AssertTopic':
      return words(
        'ASSERT',
        !statement.exists && 'NOT EXISTS',
        'TOPIC',
        printString(statement.topic.text),
        properties(statement.properties),
        after('TIMEOUT', statement.timeout),
      );
    case 'AssertSchema':
      return words(
        'ASSERT',
        !statement.exists && 'NOT EXISTS',
        'SCHEMA',
        statement.subject !== null && `SUBJECT ${printString(statement.subject.text)}`,
        statement.id !== null && `ID ${printLiteral(statement.id)}`,
        after('TIMEOUT', statement.timeout),
      );
    case 'RunScript':
      return `RUN SCRIPT ${printString(statement.path)}`;
    case 'Select':
      return printQuery(statement.query);
    default:
      return exhaustive(statement);
  }
}

/** The SQL of a query. */
function printQuery(query: Query): string {
  const orderBy = query.orderBy?.map(
    (item) => `${printOperand(item.expression)} ${item.direction}`,
  );
  return words(
    'SELECT',
    query.items.map(selectItem).join(', '),
    'FROM',
    reference(query.from),
    ...query.joins.map((join) =>
      words(
        join.type,
        'JOIN',
        reference(join.right),
        join.within !== null && within(join.within),
        'ON',
        printExpression(join.on),
      ),
    ),
    query.window !== null && `WINDOW ${window(query.window)}`,
    query.where !== null && `WHERE ${printExpression(query.where)}`,
    query.groupBy !== null && `GROUP BY ${keys(query.groupBy)}`,
    query.partitionBy !== null && `PARTITION BY ${keys(query.partitionBy)}`,
    query.having !== null && `HAVING ${printExpression(query.having)}`,
    orderBy !== undefined && `ORDER BY ${orderBy.join(', ')}`,
    query.emit !== null && `EMIT ${query.emit.mode}`,
    query.emit !== null && after('EVERY', query.emit.every),
    query.limit !== null && `LIMIT ${query.limit}`,
  );
}

/** `name type [constraint]`, as in CREATE. */
function columnDefinition(column: ColumnDefinition): string {
  return words(
    name(column.name),
    printType(column.type),
    column.constraint !== null && constraint(column.constraint),
  );
}

function constraint(constraint: ColumnConstraint): string {
  switch (constraint.kind) {
    case 'Key':
      return 'KEY';
    case 'PrimaryKey':
      return 'PRIMARY KEY';
    case 'Headers':
      return 'HEADERS';
    case 'Header':
      return `HEADER(${printString(constraint.key)})`;
    default:
      return exhaustive(constraint);
  }
}

function selectItem(item: SelectItem): string {
  switch (item.kind) {
    case 'Star':
      return item.source === null ? '*' : `${name(item.source)}.*`;
    case 'StructStar':
      return `${printPrimary(item.operand)}->*`;
    case 'Item':
      return printExpression(item.expression) + alias(item.alias);
    default:
      return exhaustive(item);
  }
}

function reference(source: SourceReference): string {
  return name(source.name) + alias(source.alias);
}

function within({ before, after: behind, grace }: Within): string {
  const same = before.amount === behind.amount && before.unit === behind.unit;
  const span = same ? duration(before) : `(${duration(before)}, ${duration(behind)})`;
  return words('WITHIN', span, after('GRACE PERIOD', grace));
}

function window(window: Window): string {
  switch (window.kind) {
    case 'Tumbling':
      return `TUMBLING (SIZE ${duration(window.size)}${bounds(window)})`;
    case 'Hopping':
      return `HOPPING (SIZE ${duration(window.size)}, ADVANCE BY ${duration(window.advance)}${bounds(window)})`;
    case 'Session':
      return `SESSION (${duration(window.gap)}${bounds(window)})`;
    case 'Sliding':
      return `SLIDING (SIZE ${duration(window.size)}${bounds(window)})`;
    default:
      return exhaustive(window);
  }
}

function bounds({ retention, grace }: Window): string {
  const parts = [after('RETENTION', retention), after('GRACE PERIOD', grace)];
  return parts.map((part) => (part === null ? '' : `, ${part}`)).join('');
}

function keys(expressions: readonly Expression[]): string {
  return expressions.length === 0 ? '()' : expressions.map(printOperand).join(', ');
}

function after(word: string, span: Duration | null): string | null {
  return span === null ? null : `${word} ${duration(span)}`;
}

function duration({ amount, unit }: Duration): string {
  return `${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`;
}

function columns(columns: readonly ColumnDefinition[] | null): string | null {
  return columns === null ? null : `(${columns.map(columnDefinition).join(', ')})`;
}

function properties(properties: readonly Property[]): string | null {
  if (properties.length === 0) return null;
  return `WITH (${properties.map(property).join(', ')})`;
}

function property({ name, value }: Property): string {
  // Names that need quotes are written as text, which is how connectors' settings usually look.
  const plain = formatName(name.text);
  return `${plain === name.text ? plain : printString(name.text)} = ${printLiteral(value)}`;
}

function names(list: readonly Name[] | null): string | null {
  return list === null ? null : `(${list.map(name).join(', ')})`;
}

function values(expressions: readonly Expression[]): string {
  return `(${expressions.map(printOperand).join(', ')})`;
}

function alias(alias: Name | null): string {
  return alias === null ? '' : ` AS ${name(alias)}`;
}

function name({ text }: Name): string {
  return formatName(text);
}

/** The parts that are there, with spaces between. */
function words(...parts: readonly (string | false | null)[]): string {
  return parts.filter((part) => part !== false && part !== null).join(' ');
}
