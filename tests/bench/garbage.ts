// Collects garbage on demand; knows no suite.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage there is, but for what only objects that are collected now hold outside the heap. */
export const collectGarbage = runInNewContext('gc') as () => void;
