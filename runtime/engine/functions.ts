// Loads the heavy functions that a plan calls, once, before anything runs; knows no function.

import { type Expr, operands } from '../expr/expr.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Plan, Step } from '../plan/step.ts';
import { withParts } from '../task/with-parts.ts';

function expressionsOf(step: Step): readonly Expr[] {
  switch (step.step) {
    case 'filter':
    case 'tableFilter':
      return [step.predicate];
    case 'project':
      return step.expressions;
    case 'rekey':
      return step.key;
    case 'flatMap':
      return step.calls.flatMap((call) => call.arguments);
    case 'foreignKeySubscribe':
      return [step.foreignKey];
    default:
      return [];
  }
}

/** Loads what the plan calls. */
export async function loadFunctions(plan: Plan, registry: FunctionRegistry): Promise<void> {
  const steps = plan.subtopologies.flatMap((part) => part.steps);
  await loadCalls(steps.flatMap(expressionsOf), registry);
}

/** Loads what the expressions call. */
export async function loadCalls(
  expressions: readonly Expr[],
  registry: FunctionRegistry,
): Promise<void> {
  const calls = new Map<string, string>();
  const visit = (node: Expr): void => {
    if (node.expr === 'call') calls.set(node.signature, node.function);
    for (const operand of operands(node)) visit(operand);
  };
  for (const expression of expressions) visit(expression);
  for (const [signature, name] of calls) {
    // What is to be loaded stands in an object: a promise of a promise would be waited for inside, where nothing fetches parts.
    const { loading } = await withParts(() => ({ loading: registry.load(name, signature) }));
    await loading;
  }
}
