// What a function is to the planner and to the row path, and the registry that finds overloads; holds no function itself.

import type { Processor } from './user-processor.ts';
import type { Type, Value } from '../data/type.ts';

/** A type pattern of a declared parameter: a concrete type, a kind of any size (DECIMAL, ARRAY...), a keyword, or a type variable. */
export type Pattern =
  | { readonly pattern: 'type'; readonly type: Type }
  | { readonly pattern: 'decimal' }
  /** A unit of time, written as a keyword. */
  | { readonly pattern: 'unit' }
  | { readonly pattern: 'any'; readonly variable: string }
  | { readonly pattern: 'array'; readonly item: Pattern }
  | { readonly pattern: 'map'; readonly key: Pattern; readonly value: Pattern }
  | { readonly pattern: 'anyStruct'; readonly variable: string }
  | {
      readonly pattern: 'lambda';
      readonly parameters: readonly Pattern[];
      readonly result: Pattern;
    };

export interface Parameter {
  readonly name: string;
  readonly pattern: Pattern;
  /** At most one parameter of an overload is variadic; it takes zero or more arguments. */
  readonly variadic: boolean;
  /**
   * true: an initial argument of an aggregate, a constant that the statement fixes. Such parameters stand behind all columns; their
   * values come in `AggregateGiven.constants`, not with the rows.
   */
  readonly constant?: true | undefined;
}

interface Declared {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
}

/** What a call may ask besides its arguments; fixed by task and offset, so that a replay gives the same answer. */
export interface CallContext {
  /** Milliseconds since the Unix epoch: the logical now of the batch. */
  readonly now: number;
  /** A number in [0, 1) from the batch's seed. */
  random(): number;
}

/** A lambda of a call, for one row: gives the value of its body for those of its parameters. @throws {RecordError} EXPRESSION */
export type LambdaFunction = (...values: readonly Value[]) => Value;

/** @param values the arguments without the lambdas @param lambdas the lambdas among the arguments, in their order */
export type ScalarBody = (
  values: readonly Value[],
  context: CallContext,
  lambdas: readonly LambdaFunction[],
) => Value;

export interface ScalarOverload extends Declared {
  readonly kind: 'scalar';
  /** The result type for the resolved argument types; a lambda's is that of its result. */
  readonly returns: (argumentTypes: readonly Type[]) => Type;
  /** true (the default of most functions): any null argument that is no lambda gives null without a call. */
  readonly nullPropagating: boolean;
  /**
   * Makes the body for these argument types. An overload whose implementation is heavy has `load` instead, awaited once
   * when a statement that needs it is planned; `process` stays synchronous.
   */
  readonly body: ((argumentTypes: readonly Type[]) => ScalarBody) | null;
  readonly load?: (() => PromiseLike<(argumentTypes: readonly Type[]) => ScalarBody>) | undefined;
}

/** What a statement fixes of an aggregate call beside its columns. */
export interface AggregateGiven {
  /** The values of the constant arguments, in their order. */
  readonly constants: readonly Value[];
  /** Those of the overload's `settings` that were set when the statement was planned, by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * An aggregate over accumulator cells. A state is a tuple of values of the types in `cells`; it is what commits store
 * (see data/codec.ts), so a change of cells is a change of the stored format.
 */
export interface AggregateBody {
  readonly cells: readonly Type[];
  initial(): Value[];
  /**
   * Folds one row into the cells in place; a value in a cell is replaced, never changed, if there is no `copy`.
   * @param offset of the record that made the row: of two rows the earlier one has the smaller
   * @throws {RecordError} the row counts nothing, and the cells are as they were
   */
  add(cells: Value[], values: readonly Value[], offset: number): void;
  /** The same cells for another state; absent: a copy of the list serves. */
  readonly copy?: ((cells: readonly Value[]) => Value[]) | undefined;
  /** Takes one row back; null where the aggregate cannot be undone (refused over tables). */
  readonly undo: ((cells: Value[], values: readonly Value[]) => void) | null;
  /** Merges `from` into `into`, which begins earlier (session windows); null where it cannot be merged. */
  readonly merge: ((into: Value[], from: readonly Value[]) => void) | null;
  result(cells: readonly Value[]): Value;
  /** The result is the first cell, the argument of one row, and the second its offset plus 1, 0 for none: so whole columns can be folded (state/picked-cells.ts). */
  readonly picks?: Picks | undefined;
}

/** Which row an aggregate picks. */
export interface Picks {
  /** True: the first one, else the last. */
  readonly isFirst: boolean;
  /** True: of those in which the argument is not null. */
  readonly ignoresNulls: boolean;
}

export interface AggregateOverload extends Declared {
  readonly kind: 'aggregate';
  /** @param argumentTypes of all arguments, constants too */
  readonly returns: (argumentTypes: readonly Type[]) => Type;
  /** @param columnTypes of the arguments that come with the rows */
  readonly body: (columnTypes: readonly Type[], given: AggregateGiven) => AggregateBody;
  /** Properties of the session that it is configured by. */
  readonly settings?: readonly string[] | undefined;
  /**
   * What is wrong with what a statement gives, in words; null: nothing. Present wherever a statement gives something: where there are
   * constant parameters or settings.
   */
  readonly refuses?: ((given: AggregateGiven) => string | null) | undefined;
}

/** The rows that a table function makes of its arguments. @throws {RecordError} it makes none */
export type TableBody = (values: readonly Value[]) => Iterable<Value>;

export interface TableOverload extends Declared {
  readonly kind: 'table';
  /** The type of one row. */
  readonly returns: (argumentTypes: readonly Type[]) => Type;
  /** true: any null argument gives no rows, without a call. */
  readonly nullPropagating: boolean;
  readonly body: (argumentTypes: readonly Type[]) => TableBody;
}

export type Overload = ScalarOverload | AggregateOverload | TableOverload;

/** The result of looking a call up. `signature` names the overload in plans; `casts[i]` is what argument i must become. */
export interface Resolved {
  readonly overload: Overload;
  readonly signature: string;
  readonly casts: readonly Type[];
  readonly type: Type;
}

/**
 * Functions by name and argument types; what SHOW FUNCTIONS and the planner see, and where the row path finds bodies. All but
 * `names` and `has` throw PartMissing when the functions of that name are not fetched yet.
 */
export interface FunctionRegistry {
  /** Processors in code: what users write beside functions comes with them. */
  readonly processors: readonly Processor[];
  readonly names: readonly string[];
  has(name: string): boolean;
  overloads(name: string): readonly Overload[];
  /** The overload that fits best; null where none fits, or several alike after widening. A null type is an untyped NULL. */
  resolve(name: string, argumentTypes: readonly (Type | null)[]): Resolved | null;
  /** The overload of that signature, as plans name it; null when unknown (a plan of a newer version). */
  bySignature(name: string, signature: string): Overload | null;
  /**
   * Loads the body of a heavy function, once, so that `bySignature` gives it from then on; null when there is nothing to
   * load. The engine waits for it when it has planned a statement that calls the function.
   */
  load(name: string, signature: string): PromiseLike<void> | null;
}
