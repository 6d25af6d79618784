// Prints a moment by the parts of a compiled pattern; knows no reading.

import { RecordError } from '../../base/errors.ts';
import { fieldOf, type Moment, type MomentZone } from './moment.ts';
import type { NumberPart, OffsetPart, Part } from './pattern.ts';
import { regionName } from './zone-text.ts';

/** @throws {RecordError} EXPRESSION when the pattern asks for what the moment does not have, outside of brackets */
export function printPattern(parts: readonly Part[], moment: Moment): string {
  const text = printed(parts, moment);
  if (text !== null) return text;
  const missing = moment.days === null ? 'a date' : moment.ms === null ? 'a time' : 'a zone';
  throw new RecordError('EXPRESSION', `the pattern asks for ${missing}, which there is not`);
}

/** null: a part of the moment is missing. */
function printed(parts: readonly Part[], moment: Moment): string | null {
  let text = '';
  for (const part of parts) {
    const next = printedPart(part, moment);
    if (next === null) return null;
    text += next;
  }
  return text;
}

function printedPart(part: Part, moment: Moment): string | null {
  const { zone } = moment;
  switch (part.part) {
    case 'literal':
      return part.text;
    case 'optional':
      return printed(part.parts, moment) ?? '';
    case 'padded': {
      const text = printedPart(part.inner, moment);
      if (text !== null && text.length > part.width)
        throw new RecordError('EXPRESSION', `'${text}' is wider than ${part.width} characters`);
      return text === null ? null : text.padStart(part.width);
    }
    case 'number': {
      const value = fieldOf(part.field, moment);
      return value === null ? null : numberText(part, value);
    }
    case 'text': {
      const value = fieldOf(part.field, moment);
      return value === null ? null : (part.texts[value - part.from] ?? '');
    }
    case 'offset':
      return zone === null ? null : offsetText(part, zone.offsetSeconds);
    case 'localizedOffset':
      return zone === null ? null : localizedOffsetText(part.full, zone.offsetSeconds);
    case 'zoneId':
      return zone === null ? null : zone.zone.id;
    case 'zoneName':
      return zone === null ? null : zoneName(part.full, zone);
  }
}

function zoneName(full: boolean, moment: MomentZone): string {
  const { id, region } = moment.zone;
  return region === null ? id : regionName(region, moment, full);
}

function numberText(part: NumberPart, value: number): string {
  // Most of all numbers.
  if (part.digitsMax === 2 && part.digitsMin === 2 && !part.fraction && value >= 0 && value < 100)
    return two(value);
  if (part.fraction) return String(value).padStart(9, '0').slice(0, part.digitsMax);
  const size = Math.abs(part.twoDigits ? value % 100 : value);
  const digits = String(size).padStart(part.digitsMin, '0');
  const refused = value < 0 && part.sign === 'never' && !part.twoDigits;
  if (digits.length > part.digitsMax || refused)
    throw new RecordError('EXPRESSION', `${value} does not fit its place in the pattern`);
  if (part.twoDigits) return digits;
  if (value < 0) return `-${digits}`;
  return part.sign === 'exceeds' && digits.length > part.digitsMin ? `+${digits}` : digits;
}

/** A number below 100. */
const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

function offsetText(part: OffsetPart, offsetSeconds: number): string {
  if (offsetSeconds === 0) return part.zero;
  const size = Math.abs(offsetSeconds);
  const minutes = Math.floor(size / 60) % 60;
  const seconds = size % 60;
  const colon = part.colon ? ':' : '';
  let text = two(Math.floor(size / 3600));
  if (part.detail !== 'minutes?' || minutes > 0) text += colon + two(minutes);
  if (part.detail === 'seconds?' && seconds > 0) text += colon + two(seconds);
  // Less than what is shown is no offset.
  if (!/[1-9]/.test(text)) return part.zero;
  return (offsetSeconds < 0 ? '-' : '+') + text;
}

function localizedOffsetText(full: boolean, offsetSeconds: number): string {
  if (offsetSeconds === 0) return 'GMT';
  const size = Math.abs(offsetSeconds);
  const hours = Math.floor(size / 3600);
  const minutes = Math.floor(size / 60) % 60;
  const seconds = size % 60;
  let text = full ? two(hours) : String(hours);
  if (full || minutes > 0 || seconds > 0) text += `:${two(minutes)}`;
  if (seconds > 0) text += `:${two(seconds)}`;
  return `GMT${offsetSeconds < 0 ? '-' : '+'}${text}`;
}
