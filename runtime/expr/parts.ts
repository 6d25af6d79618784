// The part of expressions that is fetched on first use; knows only its type.

import { Part } from '../base/part.ts';
import type * as Compile from './compile.ts';

export const EXPRESSIONS = new Part<typeof Compile>('expressions');
