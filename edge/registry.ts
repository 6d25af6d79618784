// The functions that statements and tasks of the edge may call; one registry an isolate, because heavy bodies load once.

import { builtinRegistry } from '../runtime/functions/builtins.ts';

export const registry = builtinRegistry();
