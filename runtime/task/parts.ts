// The parts of a task that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Repartition from './repartition.ts';

export const REPARTITION = new Part<typeof Repartition>('repartitioning');
