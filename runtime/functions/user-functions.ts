// Builders of functions that users write: scalar, aggregate and table functions from plain declarations; knows no function.

import type { Type, Value } from '../data/type.ts';
import { checkLength, weigher } from '../data/value.ts';
import { AGGREGATES } from './aggregates.ts';
import type {
  AggregateBody,
  AggregateOverload,
  CallContext,
  Parameter,
  ScalarOverload,
  TableOverload,
} from './registry.ts';
import { parametersFor } from './resolve.ts';
import { patternOf, resolvedType, type ValueOf, type WrittenType } from './user-types.ts';
import { called, checked } from './user-values.ts';

/** A parameter. At most one of a function is variadic, wherever it stands: it takes any number of arguments, none included. */
export interface FunctionParameter {
  readonly name: string;
  readonly type: WrittenType;
  readonly variadic?: boolean | undefined;
}

type Parameters = readonly FunctionParameter[];

/** The values of a call in the order of its arguments; `Null` stands where one may be null. */
export type ArgumentValues<P extends Parameters, Null> = [
  Extract<P[number], { readonly variadic: true }>,
] extends [never]
  ? { readonly [I in keyof P]: ValueOf<P[I]['type']> | Null }
  : readonly Value[];

/** What every function says of itself. Several declarations of one name are its overloads. */
interface Described {
  /** Its name in SQL, in any case. */
  readonly name: string;
  /** One sentence, for DESCRIBE FUNCTION. */
  readonly description?: string | undefined;
}

/** `propagate` (the default): a null argument gives null, or no rows, without a call. `pass`: the function gets to see it. */
export type NullRule = 'propagate' | 'pass';

export interface ScalarFunctionDeclaration<
  P extends Parameters,
  R extends WrittenType,
  N extends NullRule,
> extends Described {
  /** Groups functions in SHOW FUNCTIONS; `OTHER` when absent. */
  readonly category?: string | undefined;
  readonly parameters: P;
  /** The type of the result; variables are those of the parameters. */
  readonly returns: R | ((argumentTypes: readonly Type[]) => Type);
  readonly nulls?: N | undefined;
  /**
   * Computes one result. It is to give the same for the same arguments: time and chance come from `context`, which a replay
   * repeats. What it throws makes the result null and stands in the processing log.
   */
  readonly call: (
    values: ArgumentValues<P, N extends 'pass' ? null : never>,
    context: CallContext,
  ) => ValueOf<R> | null | undefined;
}

/** A function of one row's values. @throws {TypeError} for a declaration that says no name or type */
export function scalarFunction<
  const P extends Parameters,
  const R extends WrittenType,
  const N extends NullRule = 'propagate',
>(declaration: ScalarFunctionDeclaration<P, R, N>): ScalarOverload {
  const name = checkedName(declaration.name);
  const parameters = declaration.parameters.map(declared);
  const returns = typeOf(declaration.returns, parameters);
  const call = declaration.call as unknown as (
    values: readonly Value[],
    context: CallContext,
  ) => Value | undefined;
  return {
    kind: 'scalar',
    name,
    category: declaration.category ?? 'OTHER',
    description: declaration.description ?? '',
    parameters,
    returns,
    nullPropagating: declaration.nulls !== 'pass',
    body(types) {
      const type = returns(types);
      return (values, context) =>
        checked(
          name,
          type,
          called(name, () => call(values, context)),
        );
    },
  };
}

/** Types of the cells of a state. */
type Cells = readonly WrittenType[];

/** The values of a state: one for each of its cells. */
export type StateValues<S extends Cells> = { readonly [I in keyof S]: ValueOf<S[I]> | null };

/** What a statement gives an aggregate function beside its columns. */
export interface Given<C extends Parameters> {
  /** The values of its constants. */
  readonly constants: ArgumentValues<C, null>;
  /** Properties of the session, of those that it names, as they were when the query was made. */
  readonly settings: Readonly<Record<string, string>>;
  /** Types of the columns. */
  readonly types: readonly Type[];
}

export interface AggregateFunctionDeclaration<
  P extends Parameters,
  C extends Parameters,
  S extends Cells,
  R extends WrittenType,
> extends Described {
  /** The columns: their values come with each row. */
  readonly parameters: P;
  /** Constants that stand behind the columns in a call; literals in SQL. */
  readonly constants?: C | undefined;
  /** Properties of the session that configure it, such as `ksql.functions.<name>.limit`. */
  readonly settings?: readonly string[] | undefined;
  /** What is kept for each group: a tuple of values of these types. It is stored, so a change of it needs another name. */
  readonly state: S;
  readonly returns: R | ((argumentTypes: readonly Type[]) => Type);
  /** The state of a group without rows. */
  readonly initial: (given: Given<C>) => StateValues<S>;
  /** The state with one row more. What it throws stands in the processing log, and the row counts nothing. */
  readonly add: (
    state: StateValues<S>,
    values: ArgumentValues<P, null>,
    given: Given<C>,
  ) => StateValues<S>;
  /** The state with one row less; absent: it cannot be computed over tables. */
  readonly undo?:
    | ((state: StateValues<S>, values: ArgumentValues<P, null>, given: Given<C>) => StateValues<S>)
    | undefined;
  /** The state of the rows of both, of which the first ones are earlier: sessions that grow together. */
  readonly merge: (
    earlier: StateValues<S>,
    later: StateValues<S>,
    given: Given<C>,
  ) => StateValues<S>;
  readonly result: (state: StateValues<S>, given: Given<C>) => ValueOf<R> | null | undefined;
  /** What is wrong with what a statement gives, in words; null or absent: nothing. */
  readonly refuses?: ((given: Given<C>) => string | null) | undefined;
}

/** The same with values that nothing is known of. */
interface Untyped {
  readonly initial: (given: Given<Parameters>) => readonly Value[];
  readonly add: Step;
  readonly undo?: Step | undefined;
  readonly merge: Step;
  readonly result: (state: readonly Value[], given: Given<Parameters>) => Value | undefined;
  readonly refuses?: ((given: Given<Parameters>) => string | null) | undefined;
}
type Step = (
  state: readonly Value[],
  values: readonly Value[],
  given: Given<Parameters>,
) => readonly Value[];

/** A function of many rows. @throws {TypeError} for a declaration that says no name or type */
export function aggregateFunction<
  const P extends Parameters,
  const S extends Cells,
  const R extends WrittenType,
  const C extends Parameters = readonly [],
>(declaration: AggregateFunctionDeclaration<P, C, S, R>): AggregateOverload {
  const name = checkedName(declaration.name);
  if (AGGREGATES.some((aggregate) => aggregate.name === name))
    throw new TypeError(`${name} is a built-in function`);
  const columns = declaration.parameters.map(declared);
  const constants = (declaration.constants ?? []).map((constant) => ({
    ...declared(constant),
    constant: true as const,
  }));
  const parameters = [...columns, ...constants];
  const cells = declaration.state.map((written) => resolvedType(written, columns));
  const result = typeOf(declaration.returns, columns);
  const untyped = declaration as unknown as Untyped;
  return {
    kind: 'aggregate',
    name,
    category: 'AGGREGATE',
    description: declaration.description ?? '',
    parameters,
    returns(types) {
      const own = parametersFor(parameters, types.length) ?? [];
      return result(types.filter((_, index) => own[index]?.constant !== true));
    },
    settings: declaration.settings,
    refuses: (given) => untyped.refuses?.({ ...given, types: [] }) ?? null,
    body(types, given) {
      const own = cells.map((cell) => cell(types));
      return bodyOf(
        { name, cells: own, result: result(types), given: { ...given, types } },
        untyped,
      );
    },
  };
}

interface BodyParts {
  readonly name: string;
  readonly cells: readonly Type[];
  readonly result: Type;
  readonly given: Given<Parameters>;
}

/** Cells are set once a step has succeeded as a whole. */
function bodyOf({ name, cells, result, given }: BodyParts, functions: Untyped): AggregateBody {
  const state = (compute: () => readonly Value[]): Value[] => {
    const values = called(name, compute);
    return weigher()(
      cells.map((type, index) => checked(`the state of ${name}`, type, values[index])),
    );
  };
  const set = (into: Value[], compute: () => readonly Value[]): void => {
    state(compute).forEach((value, index) => {
      into[index] = value;
    });
  };
  const { undo } = functions;
  return {
    cells,
    initial: () => state(() => functions.initial(given)),
    add: (into, values) => set(into, () => functions.add(into, values, given)),
    undo: undo === undefined ? null : (into, values) => set(into, () => undo(into, values, given)),
    merge: (into, from) => set(into, () => functions.merge(into, from, given)),
    result: (from) =>
      checked(
        name,
        result,
        called(name, () => functions.result(from, given)),
      ),
  };
}

export interface TableFunctionDeclaration<
  P extends Parameters,
  R extends WrittenType,
  N extends NullRule,
> extends Described {
  readonly parameters: P;
  /** The type of one row's column. */
  readonly returns: R | ((argumentTypes: readonly Type[]) => Type);
  readonly nulls?: N | undefined;
  /** The rows of one call, in order. When it throws it has none, and what it threw stands in the processing log. */
  readonly rows: (
    values: ArgumentValues<P, N extends 'pass' ? null : never>,
  ) => Iterable<ValueOf<R> | null>;
}

/** A function that makes rows. @throws {TypeError} for a declaration that says no name or type */
export function tableFunction<
  const P extends Parameters,
  const R extends WrittenType,
  const N extends NullRule = 'propagate',
>(declaration: TableFunctionDeclaration<P, R, N>): TableOverload {
  const name = checkedName(declaration.name);
  const parameters = declaration.parameters.map(declared);
  const returns = typeOf(declaration.returns, parameters);
  const rows = declaration.rows as unknown as (values: readonly Value[]) => Iterable<Value>;
  return {
    kind: 'table',
    name,
    category: 'TABLE',
    description: declaration.description ?? '',
    parameters,
    returns,
    nullPropagating: declaration.nulls !== 'pass',
    body(types) {
      const type = returns(types);
      return (values) =>
        called(name, () => {
          const made: Value[] = [];
          for (const value of rows(values)) checkLength(made.push(checked(name, type, value)));
          return made;
        });
    },
  };
}

function declared({ name, type, variadic = false }: FunctionParameter): Parameter {
  return { name, pattern: patternOf(type), variadic };
}

function typeOf(
  returns: WrittenType | ((argumentTypes: readonly Type[]) => Type),
  parameters: readonly Parameter[],
): (argumentTypes: readonly Type[]) => Type {
  return typeof returns === 'function' ? returns : resolvedType(returns, parameters);
}

function checkedName(name: string): string {
  const upper = name.toUpperCase();
  if (/^[A-Z_][A-Z0-9_]*$/.test(upper)) return upper;
  throw new TypeError(`'${name}' is no name of a function`);
}
