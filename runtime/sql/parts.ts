// The parts of the parser that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as AdminStatements from './admin-statements.ts';
import type * as Joins from './joins.ts';
import type * as Operators from './operators.ts';
import type * as PrintExpression from './print-expression.ts';
import type * as RareDefinitions from './rare-definitions.ts';
import type * as RareOperands from './rare-operands.ts';
import type * as Substitution from './substitution.ts';
import type * as SyntaxError from './syntax-error.ts';

export const ADMIN_STATEMENTS = new Part<typeof AdminStatements>('administrative statements');
export const JOINS = new Part<typeof Joins>('JOIN');
export const OPERATORS = new Part<typeof Operators>('operators of expressions');
export const PRINT_EXPRESSION = new Part<typeof PrintExpression>('the text of expressions');
export const RARE_DEFINITIONS = new Part<typeof RareDefinitions>('ALTER, DROP, types, connectors');
export const RARE_OPERANDS = new Part<typeof RareOperands>('CASE, CAST, lambdas, constructors');
export const SUBSTITUTION = new Part<typeof Substitution>('variables');
export const SYNTAX_ERROR = new Part<typeof SyntaxError>('the words of syntax errors');
