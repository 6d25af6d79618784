// The live table: keeps all rows, shows the latest hours, and marks what changed; knows no engine.

import { element, made, setText, stillness } from './dom.ts';
import { countedText, countText, hourText, magnitudeText } from './format.ts';
import { type Hour, hourKey } from './hour.ts';

/** Rows on the page; the table itself may have any number. */
const SHOWN_ROWS_MAX = 200;
/** How long a changed row stays marked where nothing may fade. */
const MARKED_MS = 1200;
/** Rows marked at once: at high speed all would be, and each frame would fade hundreds of them. */
const MARKED_MAX = 24;

/** One row: its values now, and its place on the page once it has one. */
interface Entry {
  hour: Hour;
  isChanged: boolean;
  line: Line | null;
}

export class TableView {
  readonly #body = element('table', HTMLTableSectionElement);
  readonly #count = element('table-count', HTMLElement);
  readonly #entries = new Map<string, Entry>();
  /** The rows that were marked last, the newest at the end. */
  readonly #marked = new Set<Line>();
  /** Latest hour first, then by network. */
  #order: Entry[] = [];
  #isChanged = true;

  get rows(): number {
    return this.#entries.size;
  }

  change(hour: Hour): void {
    const key = hourKey(hour.net, hour.windowStart);
    const known = this.#entries.get(key);
    this.#isChanged = true;
    if (known !== undefined) {
      known.hour = hour;
      known.isChanged = true;
      return;
    }
    const entry = { hour, isChanged: true, line: null };
    this.#entries.set(key, entry);
    this.#order.splice(placeOf(hour, this.#order), 0, entry);
  }

  clear(): void {
    this.#entries.clear();
    this.#marked.clear();
    this.#order = [];
    this.#body.replaceChildren();
    this.#isChanged = true;
  }

  /** Brings the page up to date; called at most once a frame. */
  render(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const shown = this.#order.slice(0, SHOWN_ROWS_MAX);
    shown.forEach((entry, index) => {
      entry.line ??= new Line();
      const { row } = entry.line;
      const there = this.#body.children.item(index);
      if (there !== row) this.#body.insertBefore(row, there);
      if (entry.isChanged) {
        entry.line.show(entry.hour);
        this.#mark(entry.line);
      }
      entry.isChanged = false;
    });
    while (this.#body.children.length > shown.length) this.#body.lastElementChild?.remove();
    setText(this.#count, countLine(shown.length, this.#order.length));
  }

  #mark(line: Line): void {
    line.mark();
    this.#marked.delete(line);
    this.#marked.add(line);
    for (const oldest of this.#marked) {
      if (this.#marked.size <= MARKED_MAX) break;
      oldest.unmark();
      this.#marked.delete(oldest);
    }
  }
}

function countLine(shown: number, all: number): string {
  if (all === 0) return 'No rows yet.';
  const rows = `${countedText(all, 'row')} in all`;
  return shown === all ? rows : `The latest ${countText(shown)} of ${countText(all)} rows in all`;
}

/** Where a row with this hour and network belongs. */
function placeOf(hour: Hour, order: readonly Entry[]): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = order[middle]?.hour;
    if (other !== undefined && isBefore(other, hour)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: Hour, b: Hour): boolean {
  return a.windowStart > b.windowStart || (a.windowStart === b.windowStart && a.net < b.net);
}

/** One row on the page. */
class Line {
  readonly row = made('tr');
  readonly #cells: readonly HTMLElement[];
  #flashes = 0;

  constructor() {
    const hour = made('th');
    hour.scope = 'row';
    this.#cells = [hour, made('td'), ...[0, 1, 2].map(() => made('td', '', 'number'))];
    this.row.append(...this.#cells);
  }

  show({ windowStart, net, n, strongest, significance }: Hour): void {
    const texts = [
      hourText(windowStart),
      net,
      countText(n),
      magnitudeText(strongest),
      countText(significance),
    ];
    this.#cells.forEach((cell, index) => setText(cell, texts[index] ?? ''));
  }

  /** Two names for one animation: changing the name starts it anew without a reflow. */
  mark(): void {
    this.#flashes += 1;
    this.row.dataset['flash'] = this.#flashes % 2 === 0 ? 'even' : 'odd';
    if (!stillness.matches) return;
    const flash = this.#flashes;
    setTimeout(() => {
      if (flash === this.#flashes) this.unmark();
    }, MARKED_MS);
  }

  unmark(): void {
    delete this.row.dataset['flash'];
  }
}
