// A place for code that is fetched on first use, and the signal that it is not there yet; knows no code and no fetching.

import { InvariantError, messageOf, PortError } from './errors.ts';

/**
 * Code that most pages never run: a module that a bundler cuts off into a file of its own. Synchronous code asks for it as
 * `part.code`; the asynchronous rim says at start how it is fetched, and repeats a call that came upon a part too early. That is
 * safe because such a call has no effect until it returns: it parses, plans, or builds what is thrown away when it fails.
 *
 * Once fetched it stays, for every engine of the process, as modules do.
 */
export class Part<Code extends object> {
  readonly #name: string;
  #code: Code | null = null;
  #fetch: (() => PromiseLike<Code>) | null = null;

  /** @param name for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /** The code. @throws {PartMissing} when it has not been fetched */
  get code(): Code {
    if (this.#code === null) throw new PartMissing(this);
    return this.#code;
  }

  /** Says how the code is fetched; of several the last counts. */
  from(fetch: () => PromiseLike<Code>): void {
    this.#fetch = fetch;
  }

  /** Fetches the code, where it is not there yet. Rejects with UNAVAILABLE when that fails: another try may not. */
  load(): PromiseLike<Code> {
    if (this.#fetch === null) throw new InvariantError(`nothing fetches ${this.#name}`);
    return this.#fetch().then(
      (code) => {
        this.#code = code;
        return code;
      },
      (cause: unknown) => {
        const message = `the code for ${this.#name} could not be loaded: ${messageOf(cause)}`;
        throw new PortError('UNAVAILABLE', message, {}, { cause });
      },
    );
  }
}

/** A signal to the rim, not a fault: fetch the part and call again. Nobody else catches it. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing';
  readonly part: Part<object>;

  constructor(part: Part<object>) {
    super('code is used that was not fetched: the call must go through withParts');
    this.part = part;
  }
}
