// Lines of PRINT in the Worker, taken by the page as many at once as there are; knows no topic.

import { nextTurn } from '../task/next-turn.ts';

/** Lines of one answer. */
const LINES_MAX = 1_000;

export class PrintedLines {
  readonly #lines: AsyncIterator<string, void>;
  readonly #end: AbortController;
  /** Asked for and not yet taken. */
  #next: Promise<IteratorResult<string, void>> | null = null;

  /** @param end ends the lines */
  constructor(lines: AsyncIterator<string, void>, end: AbortController) {
    this.#lines = lines;
    this.#end = end;
  }

  /** Waits for a line, and takes what comes with it; null at the end. */
  async take(): Promise<readonly string[] | null> {
    const first = await this.#asked();
    this.#next = null;
    if (first.done === true) return null;
    const taken = [first.value];
    // What has been read already comes within the turn; what has not is left to the next call.
    const turn = nextTurn();
    while (taken.length < LINES_MAX) {
      const next = await Promise.race([this.#asked(), turn]);
      if (next === undefined || next.done === true) break;
      this.#next = null;
      taken.push(next.value);
    }
    return taken;
  }

  #asked(): Promise<IteratorResult<string, void>> {
    this.#next ??= this.#lines.next();
    return this.#next;
  }

  close(): void {
    this.#end.abort();
  }
}
