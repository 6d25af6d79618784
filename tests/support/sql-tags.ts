// Names what a syntax tree holds: functions, clauses, operators, properties and types; knows no case and no meaning.

import type {
  ColumnDefinition,
  Expression,
  Join,
  Property,
  Query,
  SelectItem,
  SourceReference,
  Statement,
  TypeName,
  Window,
} from '../../runtime/sql/ast.ts';

type Node =
  | Expression
  | Query
  | SelectItem
  | Statement
  | TypeName
  | Window
  | NonNullable<ColumnDefinition['constraint']>
  | { readonly kind?: undefined };

/** Adds `function LEN`, `clause WHERE`, `expression Like`... for all that stands in the statement. */
export function tagsOf(statement: Statement, tags: Set<string>): void {
  tags.add(`statement ${statement.kind}`);
  visit(statement, tags);
}

function visit(node: unknown, tags: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, tags);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const add = (tag: string): void => void tags.add(tag);
  // Trees are plain objects of the kinds above; what has no kind is told apart by its fields.
  ofNode(node, add);
  ofFields(node, add);
  for (const value of Object.values(node)) visit(value, tags);
}

function ofNode(node: Node, add: (tag: string) => void): void {
  switch (node.kind) {
    case undefined:
      return;
    case 'Call':
      add('expression Call');
      add(`function ${node.name.text}`);
      if (node.star) add('clause COUNT(*)');
      return;
    case 'Arithmetic':
    case 'Comparison':
    case 'Logical':
      add(`expression ${node.kind}`);
      add(`operator ${node.operator}`);
      return;
    case 'Like':
      add('expression Like');
      if (node.escape !== null) add('clause ESCAPE');
      return;
    case 'SimpleCase':
    case 'SearchedCase':
      add(`expression ${node.kind}`);
      if (node.otherwise !== null) add('clause ELSE');
      return;
    case 'NamedType':
      add(`type ${node.name.text}`);
      return;
    case 'DecimalType':
    case 'ArrayType':
    case 'MapType':
    case 'StructType':
      add(`type ${node.kind.replace('Type', '').toUpperCase()}`);
      return;
    case 'Query':
      ofQuery(node, add);
      return;
    case 'Star':
      add(node.source === null ? 'clause SELECT Star' : 'clause SELECT source.*');
      return;
    case 'StructStar':
      add('clause SELECT StructStar');
      return;
    case 'Item':
      add('clause SELECT Item');
      if (node.alias !== null) add('clause AS');
      return;
    case 'Tumbling':
    case 'Hopping':
    case 'Session':
    case 'Sliding':
      add(`clause WINDOW ${node.kind}`);
      return;
    case 'Key':
    case 'PrimaryKey':
    case 'Headers':
    case 'Header':
      add(`clause ${node.kind}`);
      return;
    default:
      add(`expression ${node.kind}`);
  }
}

function ofQuery(query: Query, add: (tag: string) => void): void {
  if (query.where !== null) add('clause WHERE');
  if (query.groupBy !== null) add('clause GROUP BY');
  if (query.partitionBy !== null) add('clause PARTITION BY');
  if (query.having !== null) add('clause HAVING');
  if (query.orderBy !== null) add('clause ORDER BY');
  if (query.limit !== null) add('clause LIMIT');
  if (query.emit !== null) add(`clause EMIT ${query.emit.mode}`);
  if ((query.emit?.every ?? null) !== null) add('clause EMIT CHANGES EVERY');
  if (query.from.alias !== null) add('clause FROM AS');
  for (const join of query.joins) ofJoin(join, add);
}

function ofJoin({ type, within }: Join, add: (tag: string) => void): void {
  add(`clause ${type} JOIN`);
  if (within === null) return;
  add(within.before === within.after ? 'clause WITHIN' : 'clause WITHIN (before, after)');
  if (within.grace !== null) add('clause WITHIN GRACE PERIOD');
}

/** Flags and parts that many nodes share. */
interface Fields {
  readonly orReplace?: boolean;
  readonly ifNotExists?: boolean;
  readonly ifExists?: boolean;
  readonly readOnly?: boolean;
  readonly sourceType?: string;
  readonly retention?: object | null;
  readonly grace?: object | null;
  readonly properties?: readonly Property[];
  readonly from?: SourceReference;
}

function ofFields(node: Fields, add: (tag: string) => void): void {
  if (node.orReplace === true) add('clause OR REPLACE');
  if (node.ifNotExists === true) add('clause IF NOT EXISTS');
  if (node.ifExists === true) add('clause IF EXISTS');
  if (node.sourceType !== undefined) {
    add(`clause ${node.sourceType}`);
    if (node.readOnly === true) add(`clause SOURCE ${node.sourceType}`);
  }
  if ((node.retention ?? null) !== null) add('clause RETENTION');
  if ((node.grace ?? null) !== null) add('clause GRACE PERIOD');
  for (const { name } of node.properties ?? []) add(`property ${name.text.toUpperCase()}`);
}
