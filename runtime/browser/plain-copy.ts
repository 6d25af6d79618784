// Sends to a Worker what structured clone refuses though its values are plain: the proxies of reactive frameworks; knows no call.

import { messageOf, StatementError } from '../base/errors.ts';
import type { MessageEnd } from '../ports/line.ts';

/**
 * The Worker's end of the line. What cannot be cloned as it is goes as a copy, at once, so that calls stay in their order.
 * @throws {StatementError} TYPE_MISMATCH: it holds a function, a promise or the like
 */
export function workerEnd(worker: MessageEnd): MessageEnd {
  return {
    addEventListener: (...given) => worker.addEventListener(...given),
    postMessage(message, transfer) {
      try {
        worker.postMessage(message, transfer);
      } catch {
        try {
          worker.postMessage(plainCopy(message), transfer);
        } catch (cause) {
          throw new StatementError(
            'TYPE_MISMATCH',
            `this cannot go to the Worker: ${messageOf(cause)}`,
          );
        }
      }
    },
  };
}

/** Arrays, maps and objects are copied, as structured clone copies them; all else is what it was. */
function plainCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainCopy);
  if (value instanceof Map) return new Map(entriesCopy(value));
  if ({}.toString.call(value) !== '[object Object]') return value;
  return Object.fromEntries(entriesCopy(Object.entries(value as object)));
}

function entriesCopy(entries: Iterable<readonly [unknown, unknown]>): [string, unknown][] {
  return plainCopy([...entries]) as [string, unknown][];
}
