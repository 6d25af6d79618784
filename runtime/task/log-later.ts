// Lines of the log from code that pages load at once: the code that writes them is fetched with the first one; knows no event.

import type { log } from '../base/log.ts';

/** As `log`, a little later. Where its code cannot be fetched, the line says no more than the event. */
export function logLater(...line: Parameters<typeof log>): void {
  const [level, event] = line;
  import('../base/log.ts').then(
    (code) => code.log(...line),
    () => console[level](JSON.stringify({ level, event })),
  );
}
