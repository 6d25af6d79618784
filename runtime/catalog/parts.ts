// The part of the catalog that is fetched on first use; knows only its type.

import { Part } from '../base/part.ts';
import type * as NearestName from './nearest-name.ts';

export const NEAREST_NAME = new Part<typeof NearestName>();
