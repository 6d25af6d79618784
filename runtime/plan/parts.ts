// The part of the planner that is fetched on first use; knows only its type.

import { Part } from '../base/part.ts';
import type * as Joins from './joins.ts';

export const JOINS = new Part<typeof Joins>('plans of joins');
