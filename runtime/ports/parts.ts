// The part of the ports that is fetched on first use; knows only its types.

import { Part } from '../base/part.ts';
import type * as PendingBlocks from './pending-blocks.ts';

export const PENDING_BLOCKS = new Part<typeof PendingBlocks>();
