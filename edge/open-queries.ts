// How many push queries one isolate runs at once, each with tasks and state of its own; knows no query and no HTTP.

import { PortError } from '../runtime/base/errors.ts';
import { PUSH_QUERIES_MAX } from '../runtime/base/limits.ts';

export class OpenQueries {
  #open = 0;

  /**
   * Counts one in.
   * @returns what counts it out, once, however often it is called
   * @throws {PortError} OVERLOADED when there are as many as may be
   */
  enter(): () => void {
    if (this.#open >= PUSH_QUERIES_MAX)
      throw new PortError(
        'OVERLOADED',
        `${PUSH_QUERIES_MAX} push queries run here (PUSH_QUERIES_MAX)`,
      );
    this.#open += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#open -= 1;
      isIn = false;
    };
  }
}
