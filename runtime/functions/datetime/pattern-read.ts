// Reads a text by the parts of a compiled pattern into fields; what they mean together is in resolve.ts. Knows no calendar.

import { type Field, type Fields, isDateField } from './moment.ts';
import type { NumberPart, OffsetPart, Part, TextPart } from './pattern.ts';
import { fixedZone, OFFSET_SECONDS_MAX, type Zone } from './time-zones.ts';
import { readZone } from './zone-text.ts';

/** What a text says; a field has one value. */
export interface Read {
  readonly fields: Readonly<Fields>;
  readonly offsetSeconds: number | null;
  readonly zone: Zone | null;
}

/** The fields of a text, whatever its case; null when it is not as the pattern says, to its end. Cost: its length. */
export function readPattern(parts: readonly Part[], text: string): Read | null {
  const reader = new Reader(text);
  return reader.all(parts, 0) === text.length ? reader : null;
}

/** Where reading failed. */
const FAILED = -1;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

class Reader implements Read {
  readonly #text: string;
  fields: Fields = {};
  offsetSeconds: number | null = null;
  zone: Zone | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns where the rest begins, or FAILED */
  all(parts: readonly Part[], from: number): number {
    let at = from;
    for (const part of parts) {
      at = this.#part(part, at);
      if (at === FAILED) return FAILED;
    }
    return at;
  }

  #part(part: Part, at: number): number {
    switch (part.part) {
      case 'literal':
        return this.#literal(part.text, at);
      case 'optional':
        return this.#optional(part.parts, at);
      case 'padded':
        return this.#padded(part.width, part.inner, at);
      case 'number':
        return this.#number(part, at);
      case 'text':
        return this.#name(part, at);
      case 'offset':
        return this.#offset(part, at);
      case 'localizedOffset':
        return this.#localizedOffset(part.full, at);
      case 'zoneId':
        return this.#zone('ids', at);
      case 'zoneName':
        return this.#zone(part.full ? 'long names' : 'names', at);
    }
  }

  #name({ field, texts, from }: TextPart, at: number): number {
    let end = FAILED;
    let value = from;
    for (let index = 0; index < texts.length; index++) {
      const found = this.#literal(texts[index] as string, at);
      if (found === FAILED) continue;
      // An initial may be that of several.
      if (end !== FAILED) return FAILED;
      end = found;
      value += index;
    }
    return end !== FAILED && this.#set(field, value) ? end : FAILED;
  }

  #literal(wanted: string, at: number): number {
    const end = at + wanted.length;
    if (this.#text.startsWith(wanted, at)) return end;
    const first = this.#text.charCodeAt(at);
    const own = wanted.charCodeAt(0);
    // In ASCII the case of a letter is one bit; most names of months are seen to be others by their first letter.
    if ((first | own) < 128 && ((first ^ own) & ~32) !== 0) return FAILED;
    return this.#text.slice(at, end).toLowerCase() === wanted.toLowerCase() ? end : FAILED;
  }

  /** What is within brackets is there as a whole or not at all. */
  #optional(parts: readonly Part[], at: number): number {
    const { fields, offsetSeconds, zone } = this;
    this.fields = { ...fields };
    const end = this.all(parts, at);
    if (end !== FAILED) return end;
    this.fields = fields;
    this.offsetSeconds = offsetSeconds;
    this.zone = zone;
    return at;
  }

  /** Just so many characters, of which the first may be spaces. */
  #padded(width: number, inner: Part, at: number): number {
    if (at + width > this.#text.length) return FAILED;
    let from = at;
    while (from < at + width && this.#text.charAt(from) === ' ') from++;
    const end = this.#part(inner, from);
    return end === at + width ? end : FAILED;
  }

  /** false: the field is known with another value. */
  #set(field: Field, value: number): boolean {
    const known = this.fields[field];
    this.fields[field] = value;
    return known === undefined || known === value;
  }

  #number(part: NumberPart, from: number): number {
    const text = this.#text;
    const sign = text.charAt(from);
    const negative = sign === '-';
    const positive = sign === '+';
    if ((negative && part.sign === 'never') || (positive && part.sign !== 'exceeds')) return FAILED;
    const at = negative || positive ? from + 1 : from;
    const last = at + part.digitsMax + part.digitsBehind;
    let end = at;
    while (end < last && isDigit(text.charCodeAt(end))) end++;
    if (end < at + part.digitsMin) return FAILED;
    if (part.digitsBehind > 0) end = Math.max(at + part.digitsMin, end - part.digitsBehind);
    const exceeds = end > at + part.digitsMin;
    if (part.sign === 'exceeds' && !negative && positive !== exceeds) return FAILED;
    let value = part.twoDigits ? 20 : 0;
    for (let i = at; i < end; i++) value = value * 10 + text.charCodeAt(i) - 48;
    if (part.fraction) value *= 10 ** (at + 9 - end);
    if (negative && value === 0) return FAILED;
    return this.#set(part.field, negative ? -value : value) ? end : FAILED;
  }

  #offset(part: OffsetPart, at: number): number {
    const zero = this.#literal(part.zero, at);
    if (zero !== FAILED) return this.#setOffset(0) ? zero : FAILED;
    const sign = this.#text.charAt(at);
    if (sign !== '+' && sign !== '-') return FAILED;
    const hours = this.#twoDigits(at + 1);
    let end = at + 3;
    const minutes = this.#detail(end, part.colon);
    if (minutes >= 0) end += part.colon ? 3 : 2;
    else if (part.detail !== 'minutes?') return FAILED;
    const seconds = part.detail === 'seconds?' ? this.#detail(end, part.colon) : -1;
    if (seconds >= 0) end += part.colon ? 3 : 2;
    if (hours < 0) return FAILED;
    const size = hours * 3600 + Math.max(0, minutes) * 60 + Math.max(0, seconds);
    return this.#setOffset(sign === '-' ? -size : size) ? end : FAILED;
  }

  /** Minutes or seconds, behind a colon where the pattern has them; -1 when there are none. */
  #detail(at: number, colon: boolean): number {
    if (colon && this.#text.charAt(at) !== ':') return -1;
    const value = this.#twoDigits(colon ? at + 1 : at);
    return value < 60 ? value : -1;
  }

  #twoDigits(at: number): number {
    const text = this.#text.slice(at, at + 2);
    return text.length === 2 && isDigits(text) ? Number(text) : -1;
  }

  #localizedOffset(full: boolean, from: number): number {
    const at = this.#literal('GMT', from);
    if (at === FAILED) return FAILED;
    const form = full
      ? /^([+-])(\d\d):(\d\d)(?::(\d\d))?/
      : /^([+-])(\d\d?)(?::(\d\d)(?::(\d\d))?)?/;
    const found = form.exec(this.#text.slice(at, at + 10));
    if (found === null) return this.#setOffset(0) ? at : FAILED;
    const [all, sign, hours, minutes = '0', seconds = '0'] = found;
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    if (Number(minutes) > 59 || Number(seconds) > 59) return FAILED;
    return this.#setOffset(sign === '-' ? -size : size) ? at + all.length : FAILED;
  }

  #setOffset(seconds: number): boolean {
    const known = this.offsetSeconds;
    this.offsetSeconds = seconds + 0;
    return Math.abs(seconds) <= OFFSET_SECONDS_MAX && (known === null || known === seconds);
  }

  #zone(names: 'ids' | 'names' | 'long names', at: number): number {
    const read = readZone(this.#text, at, names);
    if (read === null) return FAILED;
    const known = this.zone;
    this.zone = read.zone;
    return known === null || known.id === read.zone.id ? read.end : FAILED;
  }
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return true;
}

/** The zone that the text itself is in: its offset, which is exact, before its name. */
export function ownZone({ offsetSeconds, zone }: Read): Zone | null {
  return offsetSeconds === null ? zone : fixedZone('', offsetSeconds);
}

/** True where the text says something of a date, or of a time. */
export function speaksOf(what: 'date' | 'time', { fields }: Read): boolean {
  return Object.keys(fields).some((field) => isDateField(field as Field) === (what === 'date'));
}
