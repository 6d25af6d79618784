// Types calls with lambdas: a lambda's parameters have the types that the other arguments give them. Knows no function.

import { type Position, StatementError } from '../base/errors.ts';
import { type Type, typeText } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { Overload } from '../functions/registry.ts';
import { signatureOf } from '../functions/resolve.ts';
import { type Given, type LambdaMatch, matchLambdas } from '../functions/resolve-lambdas.ts';
import type { Call, Expression, Lambda } from '../sql/ast.ts';
import { coerced } from './coerced.ts';
import { known, type Typer, type TypingContext } from './typer.ts';
import { inferred } from './typing.ts';
import { checkFunction, notTaken } from './typing-nodes.ts';
import { findNode } from './walk.ts';

// What goes with it comes with it.
export * from '../expr/lambdas.ts';

/** A call of a scalar function with a lambda among its arguments. @throws {StatementError} */
export function inferLambdaCall(typer: Typer, node: Call): Expr {
  const { context } = typer;
  const name = checkFunction(context.registry, node);
  const written = node.arguments.map((argument) =>
    argument.kind === 'Lambda' ? null : typer.infer(argument),
  );
  const given = node.arguments.map((argument, index): Given => {
    if (argument.kind !== 'Lambda') return written[index]?.type ?? null;
    refuseRepeated(argument);
    return { parameters: argument.parameters.length };
  });
  const overloads = context.registry.overloads(name).filter(({ kind }) => kind === 'scalar');
  const match = matchLambdas(overloads, given);
  if (match === null) throw noOverload(context, node, overloads, given);
  const lambdas = node.arguments.map((argument, index) =>
    argument.kind === 'Lambda' ? inferLambda(context, name, match, argument, index) : null,
  );
  const casts = match.casts();
  return {
    expr: 'call',
    function: name,
    signature: signatureOf(match.overload),
    arguments: casts.map((cast, index) => lambdas[index] ?? coerced(written[index] ?? null, cast)),
    type: match.overload.returns(casts),
  };
}

function inferLambda(
  context: TypingContext,
  name: string,
  match: LambdaMatch,
  node: Lambda,
  argument: number,
): Expr {
  const types = match.parametersOf(argument);
  if (types === null) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `nothing says which types ${name} gives this lambda`,
      node.at,
      'CAST the NULL among the arguments to the type that is meant.',
    );
  }
  const parameters = node.parameters.map(({ text }, index) => {
    const type = types[index];
    return { name: text, type: type ?? { kind: 'STRING' as const } };
  });
  const { at } = node.body;
  const body = known(inferred(node.body, within(context, parameters)), at);
  const type = match.result(argument, body.type);
  if (type === null) throw wrongResult(name, match.wanted(argument), body.type, at);
  return { expr: 'lambda', parameters, body: coerced(body, type), type };
}

/** What stands in the body of a lambda: its parameters hide columns and outer parameters of their names. */
function within(
  context: TypingContext,
  parameters: readonly { readonly name: string; readonly type: Type }[],
): TypingContext {
  const parameterOf = (node: Expression): Expr | null => {
    if (node.kind !== 'Column' || node.source !== null) return null;
    const found = parameters.find(({ name }) => name === node.name.text);
    return found === undefined ? null : { expr: 'parameter', ...found };
  };
  return {
    ...context,
    clause: 'a lambda',
    meaning(node) {
      const own = parameterOf(node);
      if (own !== null || context.meaning === undefined) return own;
      // What names a parameter is of this lambda, whatever it means outside: no grouping expression, no aggregate.
      const isOwn = findNode(node, (part) => parameterOf(part) !== null) !== null;
      return isOwn ? null : context.meaning(node);
    },
  };
}

function refuseRepeated({ parameters }: Lambda): void {
  const seen = new Set<string>();
  for (const { text, at } of parameters) {
    if (seen.has(text)) {
      throw new StatementError(
        'INVALID',
        `two parameters of this lambda are called ${text}`,
        at,
        'Give each its own name.',
      );
    }
    seen.add(text);
  }
}

function wrongResult(name: string, wanted: Type | null, given: Type, at: Position): StatementError {
  const expected = wanted === null ? '' : `, where ${name} needs ${typeText(wanted)}`;
  return new StatementError(
    'TYPE_MISMATCH',
    `the lambda gives ${typeText(given)}${expected}`,
    at,
    'CAST its result, or the argument that gives it the type.',
  );
}

function noOverload(
  context: TypingContext,
  node: Call,
  overloads: readonly Overload[],
  given: readonly Given[],
): StatementError {
  const name = node.name.text.toUpperCase();
  const near = matchLambdas(overloads, given, true);
  const index = node.arguments.findIndex(
    (argument, place) =>
      argument.kind === 'Lambda' &&
      argument.parameters.length !== (near?.parametersOf(place)?.length ?? NaN),
  );
  const lambda = node.arguments[index];
  const takes = near?.parametersOf(index)?.length;
  if (lambda?.kind === 'Lambda' && takes !== undefined) {
    return new StatementError(
      'TYPE_MISMATCH',
      `this lambda has ${counted(lambda.parameters.length)}, where ${name} gives it ${takes}`,
      lambda.at,
      'Over an array it is (item), over a map (key, value); in REDUCE the state stands before them.',
    );
  }
  const types = given.map((type) => (type === null ? 'NULL' : textOf(type)));
  return notTaken(context.registry, node, types, '');
}

function counted(parameters: number): string {
  return `${parameters} ${parameters === 1 ? 'parameter' : 'parameters'}`;
}

function textOf(given: Exclude<Given, null>): string {
  return 'parameters' in given ? 'a lambda' : typeText(given);
}
