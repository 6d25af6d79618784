// From an aggregate call as plans carry it to the body that computes it; knows no plan, no group and no step.

import { InvariantError, RecordError } from '../base/errors.ts';
import type { Type, Value } from '../data/type.ts';
import type { LiteralJson } from '../expr/expr.ts';
import { literalValue } from '../expr/literal.ts';
import type { AggregateBody, AggregateGiven, FunctionRegistry } from './registry.ts';

/** A constant argument as plans carry it. */
export interface ConstantJson {
  readonly value: LiteralJson;
  readonly type: Type;
}

/** What plan/step.ts says of a call, as far as its body depends on it. */
export interface CalledAggregate {
  readonly function: string;
  readonly signature: string;
  readonly constants?: readonly ConstantJson[] | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** What the statement fixed of a call. */
export function givenOf({ constants = [], settings = {} }: CalledAggregate): AggregateGiven {
  return { constants: constants.map(({ value, type }) => literalValue(value, type)), settings };
}

/**
 * The body of a call over columns of those types.
 * @throws {InvariantError} when there is no such function; {PartMissing}
 */
export function bodyOfCall(
  call: CalledAggregate,
  columnTypes: readonly Type[],
  registry: FunctionRegistry,
): AggregateBody {
  const found = registry.bySignature(call.function, call.signature);
  if (found?.kind === 'aggregate') return found.body(columnTypes, givenOf(call));
  throw new InvariantError(`there is no aggregate function ${call.signature}`);
}

/** The result of a call for a pull query, which leaves no trace: null where it fails. */
export function resultOrNull(body: AggregateBody, cells: readonly Value[]): Value {
  try {
    return body.result(cells);
  } catch (thrown) {
    if (thrown instanceof RecordError) return null;
    throw thrown;
  }
}
