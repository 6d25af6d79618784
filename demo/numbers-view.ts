// The numbers of the page: what went in, what was late, what came out; knows no engine.

import { element, setText } from './dom.ts';
import { countText, momentText } from './format.ts';
import type { Totals } from './session.ts';

export interface Numbers extends Totals {
  /** How many records there will be in all. */
  readonly recordsMax: number;
  readonly rows: number;
  /** ms since the Unix epoch; null before the first record. */
  readonly streamTimeMs: number | null;
  /** Time of arrival that the replay has reached, ms since the Unix epoch. */
  readonly clockMs: number;
}

export class NumbersView {
  readonly #records = element('records', HTMLElement);
  readonly #recordsOf = element('records-of', HTMLElement);
  readonly #late = element('late', HTMLElement);
  readonly #changes = element('changes', HTMLElement);
  readonly #rows = element('rows', HTMLElement);
  readonly #streamTime = element('stream-time', HTMLElement);
  readonly #clock = element('clock', HTMLElement);

  show(numbers: Numbers): void {
    setText(this.#records, countText(numbers.records));
    setText(this.#recordsOf, `of ${countText(numbers.recordsMax)}`);
    setText(this.#late, countText(numbers.late));
    setText(this.#changes, countText(numbers.changes));
    setText(this.#rows, countText(numbers.rows));
    const { streamTimeMs } = numbers;
    setText(this.#streamTime, streamTimeMs === null ? '…' : momentText(streamTimeMs));
    setText(this.#clock, momentText(numbers.clockMs));
  }
}
