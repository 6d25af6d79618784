// Bodies of requests that are refused without a look at them: long ones are read all the same and thrown away, so that the answer arrives; knows no route.

import {
  BODY_BYTES_MAX,
  UNREAD_BODIES_MAX,
  UNREAD_BODY_BYTES_MAX,
  UNREAD_BODY_MS_MAX,
} from '../../runtime/base/limits.ts';
import { log } from '../../runtime/base/log.ts';

/** Those of one isolate. */
export class UnreadBodies {
  #underWay = 0;

  /**
   * Reads what nobody has read of a body, up to twice what a body may have: a client whose connection ends while it still writes may never see its answer.
   * A short one lies in the buffers of the connection by then. Of many at once only some are read, and none for longer than UNREAD_BODY_MS_MAX.
   * @returns null: there is nothing to read. To be kept alive although the client may go; never rejects
   */
  read(request: Request): Promise<void> | null {
    const length = Number(request.headers.get('Content-Length') ?? 2 * BODY_BYTES_MAX);
    if (length <= UNREAD_BODY_BYTES_MAX || length > 2 * BODY_BYTES_MAX) return null;
    if (this.#underWay >= UNREAD_BODIES_MAX || request.body === null || request.bodyUsed)
      return null;
    return this.#read(request.body);
  }

  async #read(body: ReadableStream): Promise<void> {
    this.#underWay += 1;
    try {
      // Without a buffer of its own a reader takes a step each 4 KiB.
      const reader = body.getReader({ mode: 'byob' });
      const slow = setTimeout(
        () => void reader.cancel().catch(() => undefined),
        UNREAD_BODY_MS_MAX,
      );
      try {
        let view = new Uint8Array(UNREAD_BODY_BYTES_MAX);
        for (let left = 2 * BODY_BYTES_MAX; left > 0; left -= view.length) {
          const { done, value } = await reader.read(new Uint8Array(view.buffer));
          if (done) return;
          view = value;
        }
        await reader.cancel();
      } finally {
        clearTimeout(slow);
      }
    } catch (thrown) {
      // The client has gone, and its answer is nobody's.
      log('warn', 'body-unread', { thrown });
    } finally {
      this.#underWay -= 1;
    }
  }
}
