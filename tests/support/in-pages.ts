// An operator of the row path as pages have it; knows no operator.

import { GROUP_BLOCKS } from '../../runtime/state/parts.ts';
import type { MakeOperator } from './operator-harness.ts';
import { takeAway } from './taken-parts.ts';

/** Without what only hosts with a whole kernel fetch for its accumulators. */
export const inPages =
  (make: MakeOperator): MakeOperator =>
  (context) => {
    const putBack = takeAway([GROUP_BLOCKS]);
    try {
      return make(context);
    } finally {
      putBack();
    }
  };
