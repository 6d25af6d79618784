// Requests that this isolate has answered, by route, method and status; knows no tenant and no path that was asked for.

import { METRICS_REQUEST_SERIES_MAX } from '../../runtime/base/limits.ts';
import type { Exposition } from './exposition.ts';

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
]);

export class RequestCounts {
  readonly #counts = new Map<string, { readonly labels: readonly string[]; count: number }>();

  /** @param route the pattern of the path, as the code has it */
  add(route: string, method: string, status: number): void {
    const labels = [route, METHODS.has(method) ? method : 'other', String(status)];
    const key = labels.join(' ');
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += 1;
    // Routes, methods and statuses are all of the code, so that this is never reached; it is bounded all the same.
    else if (this.#counts.size < METRICS_REQUEST_SERIES_MAX)
      this.#counts.set(key, { labels, count: 1 });
  }

  write(to: Exposition): void {
    for (const { labels, count } of this.#counts.values()) {
      to.add('millrace_http_requests_total', labels, count);
    }
  }
}
