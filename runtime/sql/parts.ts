// The parts of the parser that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Joins from './joins.ts';
import type * as Operators from './operators.ts';
import type * as PrintExpression from './print-expression.ts';
import type * as RareOperands from './rare-operands.ts';
import type * as RareStatements from './rare-statements.ts';
import type * as RareSyntax from './rare-syntax.ts';
import type * as SyntaxError from './syntax-error.ts';

export const JOINS = new Part<typeof Joins>();
export const OPERATORS = new Part<typeof Operators>();
export const PRINT_EXPRESSION = new Part<typeof PrintExpression>();
export const RARE_OPERANDS = new Part<typeof RareOperands>();
export const RARE_STATEMENTS = new Part<typeof RareStatements>();
export const RARE_SYNTAX = new Part<typeof RareSyntax>();
export const SYNTAX_ERROR = new Part<typeof SyntaxError>();
