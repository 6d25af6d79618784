// The part with the bodies of regular expressions and the library under them, which is large; knows only its type.

import { Part } from '../base/part.ts';
import type * as RegexpBodies from './regexp-bodies.ts';

export const REGEXP_BODIES = new Part<typeof RegexpBodies>();
