// What the rules of typing share: the names in reach, the functions and the way back to the whole; holds no rule itself.

import type { Position } from '../base/errors.ts';
import type { Relation } from '../catalog/source.ts';
import type { Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Expression, Query } from '../sql/ast.ts';
import { coerced } from './coerced.ts';
import type { TableCall } from './analysis.ts';
import { WORDS } from './parts.ts';
import type { Scope } from './scope.ts';

/** What an expression stands in. */
export interface TypingContext {
  readonly scope: Scope;
  readonly registry: FunctionRegistry;
  /** Custom types by name. */
  readonly types: ReadonlyMap<string, Type>;
  /** Properties of the session; absent: no call here is configured. */
  readonly properties?: ReadonlyMap<string, string> | undefined;
  /** The clause, for messages: `WHERE`, `SELECT`... */
  readonly clause: string;
  /**
   * What a node means here when it is not what it says: a grouping expression is a key column, an aggregate call its
   * result. Returns null where the usual rules apply.
   */
  readonly meaning?: ((node: Expression) => Expr | null) | undefined;
  /** Takes the table functions that are called; absent: none may stand here. */
  readonly tables?: TableCalls | undefined;
}

/** The table functions of a SELECT, in their order: each is a column behind those of the row. */
export interface TableCalls {
  readonly query: Query;
  readonly source: Relation;
  /** Position of the first one's column. */
  readonly first: number;
  readonly calls: TableCall[];
}

/** Gives expressions their types. */
export interface Typer {
  readonly context: TypingContext;
  /** The typed expression, or null for a NULL whose type nothing gives yet. */
  infer(node: Expression): Expr | null;
}

/** @throws {StatementError} TYPE_MISMATCH: a NULL alone has no type */
export function known(inferred: Expr | null, at: Position): Expr {
  if (inferred !== null) return inferred;
  throw WORDS.code.untypedNull(at);
}

/** @throws {StatementError} TYPE_MISMATCH when the expression is not of that kind; a NULL becomes of it */
export function expect(inferred: Expr | null, type: Type, at: Position, what: string): Expr {
  if (inferred === null || inferred.type.kind === type.kind)
    return coerced(inferred, inferred?.type ?? type);
  throw WORDS.code.wrongType(what, inferred.type, type, at);
}
