// The joins' loops over many runs, which hosts alone fetch that have a whole kernel; knows only their types.

import { Part } from '../base/part.ts';
import type * as JoinRuns from './join-runs.ts';

export const JOIN_RUNS = new Part<typeof JoinRuns>();
