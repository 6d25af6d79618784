// The parts of expressions that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Compile from './compile.ts';
import type * as Numbers from './compile-numbers.ts';
import type * as Lambdas from './lambdas.ts';

export const EXPRESSIONS = new Part<typeof Compile>();
export const LAMBDAS = new Part<typeof Lambdas>();
export const NUMBERS = new Part<typeof Numbers>();
