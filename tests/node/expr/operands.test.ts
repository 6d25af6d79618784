// Operands of typed expressions: found in every node that has some, and replaced without touching anything else.

import { expect, test } from 'vitest';
import { BIGINT, BOOLEAN, STRING, struct, type Type } from '../../../runtime/data/type.ts';
import { columnsRead, type Expr, operands, withOperands } from '../../../runtime/expr/expr.ts';

let columns = 0;
const column = (type: Type = BIGINT): Expr => ({ expr: 'column', index: columns++, type });
const pair = () => ({ left: column(), right: column() });

const NODES: readonly (readonly [operandCount: number, node: Expr])[] = [
  [0, { expr: 'column', index: 1000, type: BIGINT }],
  [0, { expr: 'literal', value: null, type: struct([{ name: 'expr', type: STRING }]) }],
  [0, { expr: 'parameter', name: 'x', type: BIGINT }],
  [
    2,
    {
      expr: 'call',
      function: 'F',
      signature: 'F()',
      arguments: [column(), column()],
      type: STRING,
    },
  ],
  [1, { expr: 'cast', argument: column(), type: STRING }],
  [2, { expr: 'compare', op: '<', ...pair(), type: BOOLEAN }],
  [2, { expr: 'distinct', distinct: true, ...pair(), type: BOOLEAN }],
  [2, { expr: 'logic', op: 'OR', ...pair(), type: BOOLEAN }],
  [1, { expr: 'not', argument: column(BOOLEAN), type: BOOLEAN }],
  [1, { expr: 'isNull', negated: false, argument: column(), type: BOOLEAN }],
  [2, { expr: 'arithmetic', op: '+', ...pair(), type: BIGINT }],
  [1, { expr: 'negate', argument: column(), type: BIGINT }],
  [2, { expr: 'concat', ...pair(), type: STRING }],
  [3, { expr: 'in', negated: true, argument: column(), list: [column(), column()], type: BOOLEAN }],
  [
    2,
    {
      expr: 'like',
      negated: false,
      argument: column(),
      pattern: column(),
      escape: null,
      type: BOOLEAN,
    },
  ],
  [
    3,
    {
      expr: 'case',
      branches: [{ when: column(), then: column() }],
      otherwise: column(),
      type: BIGINT,
    },
  ],
  [
    2,
    { expr: 'case', branches: [{ when: column(), then: column() }], otherwise: null, type: BIGINT },
  ],
  [2, { expr: 'subscript', base: column(), index: column(), type: BIGINT }],
  [1, { expr: 'field', base: column(), field: 3, type: BIGINT }],
  [2, { expr: 'array', items: [column(), column()], type: { kind: 'ARRAY', item: BIGINT } }],
  [
    2,
    {
      expr: 'map',
      entries: [{ key: column(), value: column() }],
      type: { kind: 'MAP', key: STRING, value: BIGINT },
    },
  ],
  [1, { expr: 'struct', fields: [column()], type: struct([{ name: 'A', type: BIGINT }]) }],
  [1, { expr: 'lambda', parameters: [{ name: 'x', type: BIGINT }], body: column(), type: BIGINT }],
];

test.each(NODES)('%i operands: %o', (count, node) => {
  expect(operands(node)).toHaveLength(count);
  expect(columnsRead(node)).toHaveLength(node.expr === 'column' ? 1 : count);
  expect(withOperands(node, (operand) => operand)).toEqual(node);
  const moved = withOperands(node, (operand) =>
    operand.expr === 'column' ? { ...operand, index: operand.index + 500 } : operand,
  );
  expect(moved.type).toBe(node.type);
  expect(operands(moved).map(({ type }) => type)).toEqual(operands(node).map(({ type }) => type));
  const by = count === 0 ? 0 : 500;
  expect(columnsRead(moved)).toEqual(columnsRead(node).map((index) => index + by));
});
