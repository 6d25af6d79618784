// Lets closed windows go one after the other. Has no exports of the module: window.ts calls it where it is compiled in.

import { hasChanges } from './pane';
import { advanceMs } from './program';
import { findPane, isClosed, removePane, streamTime } from './window';

/** As `expireAny`, of the windows from a start on; where the first pane starts that stays, or the first window that has not closed. */
// @ts-ignore: decorator
@global
function expireNext(from: f64): f64 {
  let first = Infinity;
  let start = from;
  for (; isClosed(start, streamTime); start += advanceMs) {
    const pane = findPane(start);
    if (pane == 0) continue;
    if (hasChanges(pane)) first = min(first, start);
    else removePane(pane);
  }
  return min(first, start);
}
