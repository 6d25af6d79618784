// Puts the storage of one object back to an earlier time, where the host keeps earlier states; knows no table.

import { StatementError } from '../../runtime/base/errors.ts';

/** What the host keeps of one object. */
export class EarlierState {
  readonly #ctx: DurableObjectState;
  /** Another one in each life of the object. */
  readonly instance = crypto.randomUUID();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** @throws {StatementError} UNSUPPORTED where the host keeps no state of that time */
  async bookmark(toMs: number): Promise<string> {
    try {
      return await this.#ctx.storage.getBookmarkForTime(toMs);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      const message = `the state of ${new Date(toMs).toISOString()} is not to be had here: ${why}`;
      const hint = 'Where objects are files, put copies of them back (docs/restore.md).';
      throw new StatementError('UNSUPPORTED', message, null, hint);
    }
  }

  /**
   * Ends this life of the object right behind the answer; the next one begins with the storage as it was then.
   * @returns `instance`
   * @throws {StatementError} UNSUPPORTED where the host keeps no state of that time
   */
  async putBack(toMs: number): Promise<string> {
    await this.#ctx.storage.onNextSessionRestoreBookmark(await this.bookmark(toMs));
    this.#ctx.waitUntil(scheduler.wait(0).then(() => this.#ctx.abort('its storage is put back')));
    return this.instance;
  }
}
