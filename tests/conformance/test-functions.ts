// Scalar functions that the cases expect beside the built-in ones, as ksqlDB's tests bring them; knows no case.

import { RecordError } from '../../runtime/base/errors.ts';
import {
  BIGINT,
  BOOLEAN,
  INTEGER,
  STRING,
  struct,
  type Type,
  type Value,
} from '../../runtime/data/type.ts';
import { isItems } from '../../runtime/data/value.ts';
import { of, parameter, scalar, variadic } from '../../runtime/functions/declare.ts';
import type { Parameter, ScalarOverload } from '../../runtime/functions/registry.ts';

const FOO = struct([{ name: 'A', type: STRING }]);

function declared(
  name: string,
  parameters: readonly Parameter[],
  returns: Type,
  body: (values: readonly Value[]) => Value,
): ScalarOverload {
  return scalar({
    name,
    category: 'TEST',
    description: 'Stands in the cases only.',
    parameters,
    returns,
    nullPropagating: false,
    body,
  });
}

const fixed = (...types: readonly Type[]): readonly Parameter[] =>
  types.map((type, index) => parameter(`argument${index}`, of(type)));

function boom(): never {
  throw new RecordError('EXPRESSION', 'boom!');
}

/** Gives its first argument where the second is true, and throws elsewhere: it proves that a CASE is lazy. */
const guarded = (name: string, type: Type): ScalarOverload =>
  declared(name, fixed(type, BOOLEAN), type, ([value = null, runs]) =>
    runs === true ? value : boom(),
  );

/** TEST_UDF names the overload that was chosen; BAD_UDF throws. Its overload for STRING, which counts calls, is left out. */
export const TEST_FUNCTIONS: readonly ScalarOverload[] = [
  declared('TEST_UDF', fixed(INTEGER, STRING), STRING, () => 'doStuffIntString'),
  declared('TEST_UDF', fixed(BIGINT, STRING), STRING, () => 'doStuffLongString'),
  declared('TEST_UDF', fixed(BIGINT, BIGINT, STRING), STRING, () => 'doStuffLongLongString'),
  declared('TEST_UDF', [variadic('all', of(BIGINT))], STRING, () => 'doStuffLongVarargs'),
  declared('TEST_UDF', fixed(FOO), STRING, ([value = null]) =>
    isItems(value) ? (value[0] ?? null) : null,
  ),
  declared('TEST_UDF', [], FOO, () => ['foo']),
  declared('TOSTRUCT', fixed(STRING), FOO, ([value = null]) => [value]),
  declared('BAD_UDF', fixed(INTEGER), INTEGER, boom),
  declared('BAD_UDF', fixed(BOOLEAN), INTEGER, ([value]) => (value === true ? boom() : 0)),
  guarded('WHENCONDITION', BOOLEAN),
  guarded('WHENRESULT', INTEGER),
];
