// Makes calls that may come upon code which is not fetched yet: fetches it and calls again; knows no part.

import { PartMissing } from '../base/part.ts';

/**
 * What the call returns, once every part that it needs is there.
 * @param call without an effect until it returns: it is repeated after each part that was missing
 * @throws what the call throws; {PortError} UNAVAILABLE when a part cannot be fetched
 */
export async function withParts<T>(call: () => T | PromiseLike<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      if (!(thrown instanceof PartMissing)) throw thrown;
      await thrown.part.load();
    }
  }
}
