// Compiles a date-time pattern, as java.time's DateTimeFormatter writes them, to what is printed and read; knows no values.

import { RecordError } from '../../base/errors.ts';
import { DATETIME_PATTERN_LENGTH_MAX } from '../../base/limits.ts';
import type { Field } from './moment.ts';
import {
  DAYS_LONG,
  DAYS_NARROW,
  DAYS_SHORT,
  ERAS_LONG,
  ERAS_NARROW,
  ERAS_SHORT,
  HALVES,
  MONTHS_LONG,
  MONTHS_NARROW,
  MONTHS_SHORT,
  QUARTERS_LONG,
  QUARTERS_NARROW,
  QUARTERS_SHORT,
} from './pattern-texts.ts';

/** When a number has a sign: a minus where it is negative; also a plus where it has more digits than were asked for; never. */
export type Sign = 'minus' | 'exceeds' | 'never';

export interface NumberPart {
  readonly part: 'number';
  readonly field: Field;
  readonly digitsMin: number;
  readonly digitsMax: number;
  readonly sign: Sign;
  /** The last two digits of a year from 2000 to 2099. */
  readonly twoDigits: boolean;
  /** Digits behind the point of a second. */
  readonly fraction: boolean;
  /** Digits that numbers right behind this one need: those of this one end before them. */
  digitsBehind: number;
}

export interface OffsetPart {
  readonly part: 'offset';
  readonly colon: boolean;
  /** What stands behind the hours: `minutes?` only where they are not zero. */
  readonly detail: 'minutes?' | 'minutes' | 'seconds?';
  /** What stands for no offset; `+00` and its like are read as an offset too. */
  readonly zero: string;
}

export interface TextPart {
  readonly part: 'text';
  readonly field: Field;
  readonly texts: readonly string[];
  /** The value of the first text. */
  readonly from: number;
}

export type Part =
  | { readonly part: 'literal'; readonly text: string }
  | NumberPart
  | OffsetPart
  | TextPart
  /** `GMT+8`, or `GMT+08:00` in full. */
  | { readonly part: 'localizedOffset'; readonly full: boolean }
  | { readonly part: 'zoneId' }
  /** `PST`, or `Pacific Standard Time` in full. */
  | { readonly part: 'zoneName'; readonly full: boolean }
  | { readonly part: 'optional'; readonly parts: readonly Part[] }
  | { readonly part: 'padded'; readonly width: number; readonly inner: Part };

/** Digits of a number that nothing bounds. */
const DIGITS_MAX = 19;

/** @throws {RecordError} EXPRESSION when the text is no pattern */
export function compilePattern(text: string): readonly Part[] {
  if (text.length > DATETIME_PATTERN_LENGTH_MAX)
    throw invalid(text.slice(0, 20), `more than ${DATETIME_PATTERN_LENGTH_MAX} characters`);
  return new Compiler(text).compile();
}

function invalid(pattern: string, why: string): RecordError {
  return new RecordError('EXPRESSION', `'${pattern}' is no date-time pattern: ${why}`);
}

/** Parts of one section, and which of them later numbers may still bound. */
interface Section {
  readonly parts: Part[];
  /** The number whose width is still open. */
  open: NumberPart | null;
}

class Compiler {
  readonly #text: string;
  readonly #sections: Section[] = [{ parts: [], open: null }];
  #padding = 0;

  constructor(text: string) {
    this.#text = text;
  }

  compile(): readonly Part[] {
    const text = this.#text;
    let at = 0;
    while (at < text.length) {
      const letter = text.charAt(at);
      if (/[A-Za-z]/.test(letter)) {
        let end = at + 1;
        while (text.charAt(end) === letter) end++;
        if (letter === 'p') this.#pad(end - at, text.charAt(end));
        else this.#letters(letter, end - at);
        at = end;
      } else {
        at = this.#mark(letter, at);
      }
    }
    while (this.#sections.length > 1) this.#close();
    return this.#section.parts;
  }

  get #section(): Section {
    const last = this.#sections.at(-1);
    if (last === undefined) throw invalid(this.#text, '] without [');
    return last;
  }

  /** Anything but a letter. @returns where the pattern goes on */
  #mark(mark: string, at: number): number {
    switch (mark) {
      case "'":
        return this.#quoted(at);
      case '[':
        this.#section.open = null;
        this.#sections.push({ parts: [], open: null });
        return at + 1;
      case ']':
        if (this.#sections.length === 1) throw invalid(this.#text, '] without [');
        this.#close();
        return at + 1;
      case '{':
      case '}':
      case '#':
        throw invalid(this.#text, `${mark} has no meaning`);
      default: {
        const whole = String.fromCodePoint(this.#text.codePointAt(at) ?? 0);
        this.#add({ part: 'literal', text: whole });
        return at + whole.length;
      }
    }
  }

  /** `'text'` is text, and so is each pair of quotes a quote. */
  #quoted(from: number): number {
    const text = this.#text;
    let literal = '';
    let at = from + 1;
    for (;;) {
      const quote = text.indexOf("'", at);
      if (quote < 0) throw invalid(text, 'a quote is not closed');
      literal += text.slice(at, quote);
      at = quote + 1;
      if (text.charAt(at) !== "'") break;
      literal += "'";
      at++;
    }
    // Nothing within the quotes: the pair is a quote.
    this.#add({ part: 'literal', text: at === from + 2 ? "'" : literal });
    return at;
  }

  #close(): void {
    const closed = this.#sections.pop();
    if (closed === undefined || closed.parts.length === 0) return;
    this.#add({ part: 'optional', parts: closed.parts });
  }

  #pad(width: number, next: string): void {
    if (!/[A-Za-oq-z]/.test(next)) throw invalid(this.#text, 'nothing behind p is padded');
    this.#padding = width;
  }

  #add(part: Part): void {
    const section = this.#section;
    section.parts.push(this.#inner(part));
    section.open = null;
  }

  #inner(part: Part): Part {
    const width = this.#padding;
    this.#padding = 0;
    return width === 0 ? part : { part: 'padded', width, inner: part };
  }

  /**
   * Numbers side by side share out the digits: the first takes what the others, of fixed width, leave. Where one of no fixed width
   * comes behind them, the first leaves nothing, as in Java.
   */
  #number(
    field: Field,
    digits: readonly [min: number, max: number],
    sign: Sign,
    form: 'plain' | 'twoDigits' | 'fraction' = 'plain',
  ): void {
    const [digitsMin, digitsMax] = digits;
    const part: NumberPart = {
      part: 'number',
      field,
      digitsMin,
      digitsMax,
      sign,
      twoDigits: form === 'twoDigits',
      fraction: form === 'fraction',
      digitsBehind: 0,
    };
    const section = this.#section;
    const { open } = section;
    section.parts.push(this.#inner(part));
    const isFixed = digitsMin === digitsMax && sign === 'never';
    if (open !== null && isFixed) open.digitsBehind += digitsMax;
    else {
      if (open !== null) open.digitsBehind = 0;
      section.open = part;
    }
  }

  #letters(letter: string, count: number): void {
    const tooMany = (): RecordError =>
      invalid(this.#text, `${letter} does not stand ${count} times`);
    switch (letter) {
      case 'u':
        return this.#year('year', count);
      case 'y':
        return this.#year('yearOfEra', count);
      case 'Y':
        return this.#year('weekYear', count);
      case 'G':
        if (count > 5) throw tooMany();
        return this.#named(
          'era',
          0,
          count === 4 ? ERAS_LONG : count === 5 ? ERAS_NARROW : ERAS_SHORT,
        );
      case 'M':
      case 'L':
        return this.#numberOrName('month', count, [MONTHS_SHORT, MONTHS_LONG, MONTHS_NARROW]);
      case 'Q':
      case 'q':
        return this.#numberOrName('quarter', count, [
          QUARTERS_SHORT,
          QUARTERS_LONG,
          QUARTERS_NARROW,
        ]);
      case 'E':
      case 'e':
      case 'c':
        return this.#weekday(letter, count);
      case 'a':
        if (count > 1) throw tooMany();
        return this.#named('halfDay', 0, HALVES);
      case 'S':
        if (count > 9) throw tooMany();
        return this.#number('nano', [count, count], 'never', 'fraction');
      case 'D':
        if (count > 3) throw tooMany();
        if (count === 1) return this.#number('dayOfYear', [1, DIGITS_MAX], 'minus');
        return this.#number('dayOfYear', [count, 3], 'never');
      case 'w':
        if (count > 2) throw tooMany();
        return this.#number('week', [count, 2], 'never');
      case 'W':
        if (count > 1) throw tooMany();
        return this.#number('weekOfMonth', [1, 2], 'never');
      case 'F':
        if (count > 1) throw tooMany();
        return this.#number('weekdayInMonth', [1, DIGITS_MAX], 'minus');
      case 'A':
        return this.#long('milliOfDay', count, 'never');
      case 'n':
        return this.#long('nano', count, 'never');
      case 'N':
        return this.#long('nanoOfDay', count, 'never');
      case 'g':
        return this.#long('modifiedJulianDay', count, 'minus');
      case 'V':
        if (count !== 2) throw tooMany();
        return this.#add({ part: 'zoneId' });
      case 'z':
        if (count > 4) throw tooMany();
        return this.#add({ part: 'zoneName', full: count === 4 });
      case 'O':
        if (count !== 1 && count !== 4) throw tooMany();
        return this.#add({ part: 'localizedOffset', full: count === 4 });
      case 'X':
      case 'x':
      case 'Z':
        if (count > 5) throw tooMany();
        return this.#add(offsetPart(letter, count));
      default: {
        const field = SHORT_NUMBERS.get(letter);
        if (field === undefined) throw invalid(this.#text, `${letter} has no meaning`);
        if (count > 2) throw tooMany();
        return this.#short(field, count);
      }
    }
  }

  #year(field: Field, count: number): void {
    if (count > DIGITS_MAX) throw invalid(this.#text, 'a year has at most 19 digits');
    if (count === 2) return this.#number(field, [2, 2], 'never', 'twoDigits');
    this.#number(field, [count, DIGITS_MAX], count < 4 ? 'minus' : 'exceeds');
  }

  /** As many digits as it takes, or two. */
  #short(field: Field, count: number): void {
    if (count === 1) this.#number(field, [1, DIGITS_MAX], 'minus');
    else this.#number(field, [2, 2], 'never');
  }

  #long(field: Field, count: number, sign: Sign): void {
    if (count > DIGITS_MAX) throw invalid(this.#text, `${field} has at most 19 digits`);
    this.#number(field, [count, DIGITS_MAX], sign);
  }

  #named(field: Field, from: number, texts: readonly string[]): void {
    this.#add({ part: 'text', field, texts, from });
  }

  /** One or two letters are a number; three its short name, four its long one, five its initial. */
  #numberOrName(field: Field, count: number, names: readonly (readonly string[])[]): void {
    if (count <= 2) return this.#short(field, count);
    const texts = names[count - 3];
    if (texts === undefined) throw invalid(this.#text, `a ${field} is written with 1 to 5 letters`);
    this.#named(field, 1, texts);
  }

  #weekday(letter: string, count: number): void {
    if (letter === 'c' && count === 2) throw invalid(this.#text, 'c does not stand twice');
    if (letter === 'E' && count <= 2) return this.#named('dayOfWeek', 1, DAYS_SHORT);
    if (count <= 2) return this.#number('localDayOfWeek', [count, 2], 'never');
    this.#numberOrName('dayOfWeek', count, [DAYS_SHORT, DAYS_LONG, DAYS_NARROW]);
  }
}

const SHORT_NUMBERS: ReadonlyMap<string, Field> = new Map([
  ['d', 'dayOfMonth'],
  ['H', 'hour'],
  ['k', 'clockHour'],
  ['K', 'hourOfHalf'],
  ['h', 'clockHourOfHalf'],
  ['m', 'minute'],
  ['s', 'second'],
]);

/** The forms of an offset by how often its letter stands: with X no offset is `Z`, with x it is zeros. */
function offsetPart(letter: 'X' | 'x' | 'Z', count: number): Part {
  if (letter === 'Z') {
    if (count === 4) return { part: 'localizedOffset', full: true };
    if (count === 5) return { part: 'offset', colon: true, detail: 'seconds?', zero: 'Z' };
    return { part: 'offset', colon: false, detail: 'minutes', zero: '+0000' };
  }
  const colon = count === 3 || count === 5;
  const detail = count === 1 ? 'minutes?' : count <= 3 ? 'minutes' : 'seconds?';
  const zeros = count === 1 ? '+00' : colon ? '+00:00' : '+0000';
  return { part: 'offset', colon, detail, zero: letter === 'X' ? 'Z' : zeros };
}
