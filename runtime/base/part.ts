// A place for code that is fetched on first use, and the signal that it is not there yet; knows no code and no fetching.

import { existing } from './assert.ts';
import { messageOf, PortError } from './errors.ts';

/** What is missing where nobody has said how a part is fetched. */
const WAY = 'way to a part';

/** Announces the parts that nobody has announced yet. */
let announceOthers: (() => PromiseLike<void>) | null = null;

/**
 * Says where the parts are announced that are not announced one by one: called before the first of them is fetched, so that how they
 * are fetched, and what they are called, need not be there before.
 * @param announce rejects when it cannot be fetched: another try may succeed
 */
export function announcePartsBy(announce: () => PromiseLike<void>): void {
  announceOthers = announce;
}

/**
 * Code that most pages never run: a module that a bundler cuts off into a file of its own. Synchronous code asks for it as
 * `part.code`; the asynchronous rim says at start how it is fetched, and repeats a call that came upon a part too early. That is
 * safe because such a call has no effect until it returns: it parses, plans, or builds what is thrown away when it fails.
 *
 * Once fetched it stays, for every engine of the process, as modules do.
 */
export class Part<Code extends object> {
  #name = 'a part';
  #code: Code | null = null;
  #fetch: (() => PromiseLike<Code>) | null = null;
  #loading: PromiseLike<Code> | null = null;

  /** The code. @throws {PartMissing} when it has not been fetched */
  get code(): Code {
    if (this.#code === null) throw new PartMissing(this);
    return this.#code;
  }

  /** The code; null when it has not been fetched. */
  get fetched(): Code | null {
    return this.#code;
  }

  /** Has the code without fetching it: for modules that a program loads with it anyway. */
  given(code: Code): void {
    this.#code = code;
  }

  /**
   * Says how the code is fetched; of several the last counts.
   * @param name for messages
   */
  from(name: string, fetch: () => PromiseLike<Code>): void {
    this.#name = name;
    this.#fetch = fetch;
  }

  /**
   * Fetches the code, where it is not there yet; whoever waits for it goes on in the order of these calls. Rejects with UNAVAILABLE when
   * that fails: another try may not.
   */
  load(): PromiseLike<Code> {
    return (this.#loading ??= existing(
      this.#fetch?.() ?? announceOthers?.().then(() => existing(this.#fetch?.(), WAY)),
      WAY,
    ).then(
      (code) => (this.#code = code),
      (cause: unknown) => {
        this.#loading = null;
        const message = `the code for ${this.#name} could not be loaded: ${messageOf(cause)}`;
        throw new PortError('UNAVAILABLE', message, {}, { cause });
      },
    ));
  }
}

/** A signal to the rim, not a fault: fetch the part and call again. Nobody else catches it. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing';
  readonly part: Part<object>;

  constructor(part: Part<object>) {
    super('code was used without withParts');
    this.part = part;
  }
}
