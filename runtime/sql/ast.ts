// The syntax tree of statements, the contract between parser and analysis; it says what was written, not whether it makes sense.

import type { Position } from '../base/errors.ts';
import type { Expression, Literal, Name, TypeName } from './ast-expression.ts';
import type { Duration, Query } from './ast-query.ts';

export type * from './ast-expression.ts';
export type * from './ast-query.ts';
export { durationMs } from './ast-query.ts';

/**
 * Every statement. All nodes are plain immutable objects: `kind` tells them apart, `at` is where the first
 * token stands, absent parts are null (an empty list means written but empty, where that is possible).
 * `text` is the statement's own source, from its first to its last token, without the closing `;` and with
 * ${variables} already replaced: parsed on its own, with no variables, it is the same statement.
 */
export type Statement =
  | CreateSource
  | CreateAs
  | InsertSelect
  | InsertValues
  | AlterSource
  | SwapSources
  | DropSource
  | CreateType
  | DropType
  | CreateConnector
  | DropConnector
  | Terminate
  | Pause
  | Resume
  | SetProperty
  | UnsetProperty
  | AlterSystem
  | DefineVariable
  | UndefineVariable
  | Show
  | Describe
  | DescribeStreams
  | DescribeFunction
  | DescribeConnector
  | Explain
  | Print
  | AssertValues
  | AssertTombstone
  | AssertSource
  | AssertTopic
  | AssertSchema
  | RunScript
  | Select;

interface StatementNode {
  readonly at: Position;
  readonly text: string;
}

/** What a source is. */
export type SourceType = 'STREAM' | 'TABLE';

/** `CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name (columns) WITH (properties)`. */
export interface CreateSource extends StatementNode {
  readonly kind: 'CreateSource';
  readonly sourceType: SourceType;
  readonly orReplace: boolean;
  /** CREATE SOURCE ...: readable only, and a table is materialised at once. */
  readonly readOnly: boolean;
  readonly ifNotExists: boolean;
  readonly name: Name;
  /** Null when there is no list: the schema is inferred. */
  readonly columns: readonly ColumnDefinition[] | null;
  readonly properties: readonly Property[];
}

/** `CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (properties)] AS query`. */
export interface CreateAs extends StatementNode {
  readonly kind: 'CreateAs';
  readonly sourceType: SourceType;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly name: Name;
  readonly properties: readonly Property[];
  readonly query: Query;
}

/** `INSERT INTO target [WITH (properties)] query`. */
export interface InsertSelect extends StatementNode {
  readonly kind: 'InsertSelect';
  readonly target: Name;
  readonly properties: readonly Property[];
  readonly query: Query;
}

/** `INSERT INTO target [(columns)] VALUES (values)`; one row. */
export interface InsertValues extends StatementNode {
  readonly kind: 'InsertValues';
  readonly target: Name;
  readonly columns: readonly Name[] | null;
  readonly values: readonly Expression[];
}

/** `ALTER STREAM|TABLE name ADD [COLUMN] name type, ...`. */
export interface AlterSource extends StatementNode {
  readonly kind: 'AlterSource';
  readonly sourceType: SourceType;
  readonly name: Name;
  readonly additions: readonly { readonly name: Name; readonly type: TypeName }[];
}

/** `ALTER STREAM|TABLE name SWAP WITH other [TIMEOUT n unit]`. */
export interface SwapSources extends StatementNode {
  readonly kind: 'SwapSources';
  readonly sourceType: SourceType;
  readonly name: Name;
  readonly other: Name;
  readonly timeout: Duration | null;
}

/** `DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]`. */
export interface DropSource extends StatementNode {
  readonly kind: 'DropSource';
  readonly sourceType: SourceType;
  readonly ifExists: boolean;
  readonly name: Name;
  readonly deleteTopic: boolean;
}

/** `CREATE TYPE [IF NOT EXISTS] name AS type`. */
export interface CreateType extends StatementNode {
  readonly kind: 'CreateType';
  readonly ifNotExists: boolean;
  readonly name: Name;
  readonly type: TypeName;
}

/** `DROP TYPE [IF EXISTS] name`. */
export interface DropType extends StatementNode {
  readonly kind: 'DropType';
  readonly ifExists: boolean;
  readonly name: Name;
}

/** Which way a connector carries records. */
export type ConnectorType = 'SOURCE' | 'SINK';

/** `CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (properties)`. */
export interface CreateConnector extends StatementNode {
  readonly kind: 'CreateConnector';
  readonly connectorType: ConnectorType;
  readonly ifNotExists: boolean;
  readonly name: Name;
  readonly properties: readonly Property[];
}

/** `DROP CONNECTOR [IF EXISTS] name`. */
export interface DropConnector extends StatementNode {
  readonly kind: 'DropConnector';
  readonly ifExists: boolean;
  readonly name: Name;
}

/** `TERMINATE id`, or `TERMINATE ALL`, where `query` is null; PAUSE and RESUME alike. */
export interface Terminate extends StatementNode {
  readonly kind: 'Terminate';
  readonly query: Name | null;
}

/** `PAUSE id` or `PAUSE ALL`. */
export interface Pause extends StatementNode {
  readonly kind: 'Pause';
  readonly query: Name | null;
}

/** `RESUME id` or `RESUME ALL`. */
export interface Resume extends StatementNode {
  readonly kind: 'Resume';
  readonly query: Name | null;
}

/** `SET 'property' = 'value'`, for this session. */
export interface SetProperty extends StatementNode {
  readonly kind: 'Set';
  readonly property: string;
  readonly value: string;
}

/** `UNSET 'property'`. */
export interface UnsetProperty extends StatementNode {
  readonly kind: 'Unset';
  readonly property: string;
}

/** `ALTER SYSTEM 'property' = 'value'`, for all. */
export interface AlterSystem extends StatementNode {
  readonly kind: 'AlterSystem';
  readonly property: string;
  readonly value: string;
}

/** `DEFINE name = 'value'`: `${name}` is replaced in the statements that follow. Variables keep their spelling and are compared without case. */
export interface DefineVariable extends StatementNode {
  readonly kind: 'Define';
  readonly variable: Name;
  readonly value: string;
}

/** `UNDEFINE name`. */
export interface UndefineVariable extends StatementNode {
  readonly kind: 'Undefine';
  readonly variable: Name;
}

/** What SHOW lists. */
export type ShowTarget =
  | 'STREAMS'
  | 'TABLES'
  | 'TOPICS'
  | 'QUERIES'
  | 'FUNCTIONS'
  | 'TYPES'
  | 'VARIABLES'
  | 'PROPERTIES'
  | 'CONNECTORS'
  | 'CONNECTOR PLUGINS';

/** `SHOW|LIST [ALL] target [EXTENDED]`; `all` only with TOPICS, `connectorType` only with CONNECTORS. */
export interface Show extends StatementNode {
  readonly kind: 'Show';
  readonly target: ShowTarget;
  readonly all: boolean;
  readonly extended: boolean;
  readonly connectorType: ConnectorType | null;
}

/** `DESCRIBE source [EXTENDED]`. */
export interface Describe extends StatementNode {
  readonly kind: 'Describe';
  readonly source: Name;
  readonly extended: boolean;
}

/** `DESCRIBE STREAMS|TABLES [EXTENDED]`. */
export interface DescribeStreams extends StatementNode {
  readonly kind: 'DescribeStreams';
  readonly sourceType: SourceType;
  readonly extended: boolean;
}

/** `DESCRIBE FUNCTION name`. */
export interface DescribeFunction extends StatementNode {
  readonly kind: 'DescribeFunction';
  readonly function: Name;
}

/** `DESCRIBE CONNECTOR name`. */
export interface DescribeConnector extends StatementNode {
  readonly kind: 'DescribeConnector';
  readonly connector: Name;
}

/** `EXPLAIN statement` or `EXPLAIN query-id`. */
export interface Explain extends StatementNode {
  readonly kind: 'Explain';
  readonly subject:
    | { readonly kind: 'ExplainStatement'; readonly statement: Statement }
    | { readonly kind: 'ExplainQuery'; readonly query: Name };
}

/** `PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n]`; a topic written as a name keeps its case. */
export interface Print extends StatementNode {
  readonly kind: 'Print';
  readonly topic: Name;
  readonly fromBeginning: boolean;
  /** Every how many records one is printed; null is every one. */
  readonly interval: number | null;
  readonly limit: number | null;
}

/** `ASSERT VALUES source [(columns)] VALUES (values)`: the next record of the source's topic. */
export interface AssertValues extends StatementNode {
  readonly kind: 'AssertValues';
  readonly source: Name;
  readonly columns: readonly Name[] | null;
  readonly values: readonly Expression[];
}

/** `ASSERT NULL VALUES source [(key columns)] KEY (values)`: the next record is a tombstone. */
export interface AssertTombstone extends StatementNode {
  readonly kind: 'AssertTombstone';
  readonly source: Name;
  readonly columns: readonly Name[] | null;
  readonly values: readonly Expression[];
}

/** `ASSERT STREAM|TABLE source [(columns)] [WITH (properties)]`. */
export interface AssertSource extends StatementNode {
  readonly kind: 'AssertSource';
  readonly sourceType: SourceType;
  readonly name: Name;
  readonly columns: readonly ColumnDefinition[] | null;
  readonly properties: readonly Property[];
}

/** `ASSERT [NOT EXISTS] TOPIC topic [WITH (properties)] [TIMEOUT n unit]`. */
export interface AssertTopic extends StatementNode {
  readonly kind: 'AssertTopic';
  readonly exists: boolean;
  readonly topic: Name;
  readonly properties: readonly Property[];
  readonly timeout: Duration | null;
}

/** `ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] [ID id] [TIMEOUT n unit]`. */
export interface AssertSchema extends StatementNode {
  readonly kind: 'AssertSchema';
  readonly exists: boolean;
  readonly subject: Name | null;
  readonly id: Literal | null;
  readonly timeout: Duration | null;
}

/** `RUN SCRIPT 'path'`, for test scripts. */
export interface RunScript extends StatementNode {
  readonly kind: 'RunScript';
  readonly path: string;
}

/** A query on its own: push with EMIT, pull without. */
export interface Select extends StatementNode {
  readonly kind: 'Select';
  readonly query: Query;
}

/** What a column of CREATE is beside a value; null where it is one. */
export type ColumnConstraint =
  | { readonly kind: 'Key' }
  | { readonly kind: 'PrimaryKey' }
  | { readonly kind: 'Headers' } // all headers of the record
  | { readonly kind: 'Header'; readonly key: string }; // the last header of that key

/** `name type [constraint]`. */
export interface ColumnDefinition {
  readonly name: Name;
  readonly type: TypeName;
  readonly constraint: ColumnConstraint | null;
  readonly at: Position;
}

/** One entry of WITH (...); a name written plain is upper-cased, one in quotes is as it stands. */
export interface Property {
  readonly name: Name;
  readonly value: Literal;
  readonly at: Position;
}
