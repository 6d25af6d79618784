// The code of state tables that is fetched on first use, or by hosts alone that want it; knows only its types.

import { Part } from '../base/part.ts';
import type * as GroupBlocks from './group-blocks.ts';

/** There only where the kernel is a whole one: pages hand groups over one after the other. */
export const GROUP_BLOCKS = new Part<typeof GroupBlocks>();
