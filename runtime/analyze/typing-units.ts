// Units of time as arguments: which functions take one, and where; knows no other arguments.

import { StatementError } from '../base/errors.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Call, Expression } from '../sql/ast.ts';
import { UNITS } from '../sql/primary.ts';

const UNIT_NAMES = [...new Set(UNITS.values())].join(', ');

/**
 * The arguments of a call, with DAY, HOUR, MINUTE and SECOND as units where the function takes one: elsewhere they are columns.
 * @throws {StatementError} TYPE_MISMATCH when a unit stands where none is taken, or something else where one is
 */
export function withUnits(
  registry: FunctionRegistry,
  name: string,
  node: Call,
): readonly Expression[] {
  const overloads = registry.overloads(name);
  return node.arguments.map((argument, index) => {
    const takesUnit = overloads.some(
      ({ parameters }) => parameters[index]?.pattern.pattern === 'unit',
    );
    const unit = unitOf(argument);
    if (takesUnit && unit !== null) return unit;
    if (!takesUnit && argument.kind !== 'IntervalUnit') return argument;
    throw new StatementError(
      'TYPE_MISMATCH',
      takesUnit
        ? `${name} takes a unit of time as argument ${index + 1}`
        : `${name} takes no unit of time as argument ${index + 1}`,
      argument.at,
      takesUnit ? `Units are ${UNIT_NAMES}, written without quotes.` : '',
    );
  });
}

function unitOf(argument: Expression): Expression | null {
  if (argument.kind === 'IntervalUnit') return argument;
  if (argument.kind !== 'Column' || argument.source !== null) return null;
  const unit = UNITS.get(argument.name.text);
  return unit === undefined ? null : { kind: 'IntervalUnit', unit, at: argument.at };
}
