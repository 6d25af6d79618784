// What the check found, in words; knows neither engine nor recount.

import type { Comparison } from './check.ts';
import { element, made } from './dom.ts';
import { countedText, countText } from './format.ts';

/** Differences told one by one. */
const TOLD_MAX = 5;

export class CheckView {
  readonly #result = element('check-result', HTMLElement);

  /** @param records raw records that were recounted @param late of them, as both sides agree when they are equal */
  show({ rows, differences }: Comparison, records: number, late: number): void {
    const isEqual = differences.length === 0;
    this.#result.dataset['equal'] = String(isEqual);
    const verdict = made('strong', isEqual ? 'Equal.' : 'Not equal.');
    const text = isEqual
      ? ` ${countedText(rows, 'row')} and ${countedText(late, 'late record')}, recounted from ${countedText(records, 'raw record')}.`
      : ` ${countedText(differences.length, 'difference')} in ${countedText(rows, 'row')}, recounted from ${countedText(records, 'raw record')}:`;
    const sentence = made('p');
    sentence.append(verdict, text);
    this.#result.replaceChildren(sentence);
    if (isEqual) return;
    const list = made('ul');
    list.append(...differences.slice(0, TOLD_MAX).map((difference) => made('li', difference)));
    const more = differences.length - TOLD_MAX;
    if (more > 0) list.append(made('li', `and ${countText(more)} more`));
    this.#result.append(list);
  }

  clear(): void {
    this.#result.replaceChildren();
    delete this.#result.dataset['equal'];
  }
}
