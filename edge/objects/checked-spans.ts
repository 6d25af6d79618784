// Which stored batches an instance has checked since it began, as spans of offsets; bounded; knows no storage.

import { CHECKED_SPANS_MAX } from '../../runtime/base/limits.ts';

/**
 * Batches one behind the other are one span, and readers go forward, so that a few spans hold what many have read. Offsets are never given
 * again; whoever rewrites what is stored clears them.
 */
export class CheckedSpans {
  /** `from .. to`; the one that was last needed or grown stands last. */
  #spans: { readonly from: number; readonly to: number }[] = [];

  /** True when all of `from .. to` has been checked. */
  has(from: number, to: number): boolean {
    const at = this.#spans.findLastIndex((span) => span.from <= from && to <= span.to);
    if (at < 0) return false;
    this.#spans.push(...this.#spans.splice(at, 1));
    return true;
  }

  /** `from .. to` has been checked. */
  add(from: number, to: number): void {
    let span = { from, to };
    // It may close the gap between two.
    for (let at = this.#spans.length - 1; at >= 0; at--) {
      const other = this.#spans[at];
      if (other === undefined || other.to < span.from || span.to < other.from) continue;
      span = { from: Math.min(other.from, span.from), to: Math.max(other.to, span.to) };
      this.#spans.splice(at, 1);
    }
    if (this.#spans.length >= CHECKED_SPANS_MAX) this.#spans.shift();
    this.#spans.push(span);
  }

  clear(): void {
    this.#spans = [];
  }
}
