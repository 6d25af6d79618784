// The body of an answer line by line as it comes; knows no meaning of a line.

import { LimitError, PortError } from '../base/errors.ts';
import { ANSWER_LINE_LENGTH_MAX, ANSWER_SILENCE_MS_MAX } from '../base/limits.ts';
import { onWake } from './wake.ts';

/** An edge that lives is silent for a third of that; what is left is for the way. */
const WOKEN_SILENCE_MS = ANSWER_SILENCE_MS_MAX / 3 + 5000;

/** The lines of a body, without their ends. What stands behind the last end of a line is no line: the body was cut. */
export class Lines {
  /** It costs nothing to ask for the rest again: it need not be found out whether a body that was open while the page slept is dead. */
  mayBeCut = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #lines: string[] = [];
  #taken = 0;
  #rest = '';

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /**
   * The next line; null at the end of the body.
   * @throws {PortError} UNAVAILABLE when the body is cut, or silent for longer than an edge that lives is
   * @throws {LimitError} ANSWER_LINE_LENGTH_MAX
   */
  async next(): Promise<string | null> {
    while (this.#taken === this.#lines.length) if (!(await this.#read())) return null;
    return this.#lines[this.#taken++] ?? null;
  }

  /** Says to the edge that nobody reads on; a `next` that waits then sees the end. */
  async cancel(): Promise<void> {
    // What has ended already cannot be told.
    await this.#reader.cancel().catch(() => undefined);
  }

  async #read(): Promise<boolean> {
    let isSilent = false;
    const silent = (): void => {
      isSilent = true;
      void this.cancel();
    };
    let timer = setTimeout(silent, ANSWER_SILENCE_MS_MAX);
    const end = onWake((isDoubtful) => {
      clearTimeout(timer);
      timer = setTimeout(silent, isDoubtful && this.mayBeCut ? 0 : WOKEN_SILENCE_MS);
    });
    const { done, value } = await this.#reader
      .read()
      .catch((cause: unknown) => {
        throw cut(cause);
      })
      .finally(() => {
        clearTimeout(timer);
        end();
      });
    if (isSilent) throw cut(null);
    if (done) {
      if (this.#rest !== '') throw cut(null);
      return false;
    }
    const lines = (this.#rest + this.#decoder.decode(value, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines = lines;
    this.#taken = 0;
    if (this.#rest.length > ANSWER_LINE_LENGTH_MAX) {
      const message = `a line of more than ${ANSWER_LINE_LENGTH_MAX} characters`;
      throw new LimitError('ANSWER_LINE_LENGTH_MAX', message);
    }
    return true;
  }
}

/** The error of a body that ends too early. */
export function cut(cause: unknown): PortError {
  return new PortError('UNAVAILABLE', 'the answer was cut off', {}, { cause });
}
