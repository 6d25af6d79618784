// The pattern compiler against js-joda, java.time in JavaScript, on generated patterns, texts and zones; and against itself.

import * as joda from '@js-joda/core';
import * as jodaZones from '@js-joda/timezone';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../../runtime/expr/calendar.ts';
import { formatTimestamp, parseTimestamp } from '../../../runtime/functions/datetime/text.ts';
import { instantOf, type Zone, zoneOf } from '../../../runtime/functions/datetime/time-zones.ts';

function zone(id: string): Zone {
  const found = zoneOf(id);
  if (found === null) throw new Error(`the host has no zone ${id}`);
  return found;
}

/** From 1900 to 2100. */
const instants = fc.integer({ min: -2_208_988_800_000, max: 4_102_444_800_000 });
/** A time in which the host's rules and js-joda's are the same. */
const settled = fc.integer({ min: 0, max: 1_700_000_000_000 });
const zones = fc.constantFrom(
  'UTC',
  'Europe/Paris',
  'Europe/London',
  'America/New_York',
  'America/Los_Angeles',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Africa/Nairobi',
);

/** Elements whose meaning js-joda shares; it has no texts without a locale. */
const element = fc.constantFrom(
  ...'y yy yyy yyyy yyyyy u uu uuuu M MM L LL d dd D DDD Q H HH k kk K KK h hh m mm s ss'.split(
    ' ',
  ),
  ...'S SS SSS SSSSSS SSSSSSSSS A N n VV X XX xxx XXXXX x xx xxx xxxxx Z ZZ ZZZ ZZZZZ'.split(' '),
);
const between = fc.constantFrom('', '', '-', '/', ' ', "'T'", "''", "'o''clock'", ':', '.', ', ');
const plain = fc.array(fc.tuple(element, between), { minLength: 1, maxLength: 8 });
const patterns = fc
  .tuple(plain, fc.option(plain, { nil: null }))
  .map(([first, optional]) => {
    const text = (parts: readonly (readonly string[])[]): string => parts.flat().join('');
    return optional === null ? text(first) : `${text(first)}[${text(optional)}]`;
  })
  // Names want a locale there; and Java counts these digits in another way since it was the model of js-joda.
  .filter((pattern) => !/[MLQ]{3}|ZZZZ|nn|NN|AA|(?<!D)DD(?!D)/.test(pattern));

function outcome<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch {
    return 'refused';
  }
}

test('prints what js-joda prints, and refuses what it refuses', () => {
  fc.assert(
    fc.property(patterns, settled, zones, (pattern, instant, id) => {
      const moment = joda.Instant.ofEpochMilli(instant).atZone(joda.ZoneId.of(id));
      const wanted = outcome(() => moment.format(joda.DateTimeFormatter.ofPattern(pattern)));
      expect(outcome(() => formatTimestamp(instant, pattern, zone(id)))).toBe(wanted);
    }),
    { numRuns: 1000 },
  );
});

/** Patterns that say everything of a local time, in any order. */
const wholePatterns = fc
  .tuple(
    fc.constantFrom('yyyy', 'uuuu', 'yyyyy'),
    fc.constantFrom(['M', 'd'], ['MM', 'dd'], ['DDD'], ['D'], ['MM', 'd', 'Q']),
    fc.constantFrom(['H'], ['HH'], ['k'], ['HH', 'K']),
    fc.constantFrom(['m', 's', 'SSS'], ['mm', 'ss', 'S'], ['mm', 'ss'], ['mm'], ['mm', 'ss', 'n']),
    fc.constantFrom('', '-', ' ', "'x'"),
    fc.boolean(),
  )
  .chain(([year, days, hours, rest, separator, isMixed]) => {
    const all = [year, ...days, ...hours, ...rest];
    const order = isMixed
      ? fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })
      : fc.constant(all);
    return order.map((parts) => parts.join(separator));
  })
  // A fraction right behind another number is read since Java 9.
  .filter((pattern) => !/[a-zA-Z]S/.test(pattern.replaceAll("'x'", ' ').replaceAll(/S+/g, 'S')));

const edits = fc.option(
  fc.record({
    at: fc.nat({ max: 30 }),
    put: fc.constantFrom('', '0', '1', '9', '-', '+', ' ', 'x'),
  }),
  { nil: null },
);

test('reads what js-joda reads, and refuses what it refuses', () => {
  let read = 0;
  fc.assert(
    fc.property(wholePatterns, instants, edits, (pattern, instant, given) => {
      // It takes a fraction with a digit too few, as Java did up to 14.
      const edit = pattern.includes('S') ? null : given;
      const formatter = joda.DateTimeFormatter.ofPattern(pattern);
      const printed = formatTimestamp(instant, pattern);
      const text =
        edit === null ? printed : printed.slice(0, edit.at) + edit.put + printed.slice(edit.at + 1);
      // It takes no number of so many digits.
      fc.pre(!/\+\d{12}/.test(text));
      const wanted = outcome(() =>
        joda.LocalDateTime.parse(text, formatter).toInstant(joda.ZoneOffset.UTC).toEpochMilli(),
      );
      if (wanted !== 'refused') read += 1;
      expect([text, outcome(() => parseTimestamp(text, pattern))]).toEqual([text, wanted]);
    }),
    { numRuns: 1000, examples: [['DDDHHnmmssyyyyy', 1, { at: 10, put: '+' }]] },
  );
  expect(read).toBeGreaterThan(250);
});

const reversible = fc.constantFrom(
  'yyyy-MM-dd HH:mm:ss.SSS',
  'yyyyMMddHHmmssSSS',
  "EEE, d MMM yyyy HH:mm:ss.SSS 'GMT'X",
  'EEEE dd MMMM uuuu, h:mm:ss.SSS a XX',
  'D/uuuu kk.mm.ss.SSS xxx',
  'YYYY w e A Z',
  'y G QQQ M d K a m s SSS OOOO',
  'uuuu-MM-dd N[ VV]',
  'g SSSssmmHH XXXXX',
  'ppppppy MM ppd HH:mm:ss.SSS',
  'u M W c H m s S SS'.replace('S SS', 'n'),
);

test('what is printed with all its fields reads back as the same instant', () => {
  fc.assert(
    fc.property(reversible, settled, zones, (pattern, instant, id) => {
      const text = formatTimestamp(instant, pattern, zone(id));
      const back = parseTimestamp(text, pattern, zone(id));
      // Of a local time that comes twice the earlier instant is read.
      const isLocal = !/[XxZO]/.test(pattern.replaceAll(/'[^']*'/g, ''));
      expect([text, isLocal ? instant : back]).toEqual([text, instant]);
      expect(formatTimestamp(back, pattern, zone(id))).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

test('an instant has the offset in a zone that js-joda gives it', () => {
  // It has the rules of zones once their module is there.
  expect(jodaZones).toBeDefined();
  fc.assert(
    fc.property(settled, zones, (instant, id) => {
      const rules = joda.ZoneId.of(id).rules();
      const wanted = rules.offset(joda.Instant.ofEpochMilli(instant)).totalSeconds();
      expect(zone(id).offsetSeconds(instant)).toBe(wanted);
    }),
    { numRuns: 1000 },
  );
});

/** Local times around the hours in which clocks change. */
const changing = fc
  .tuple(fc.constantFrom('03-10', '03-31', '04-07', '10-06', '10-27', '11-03'), fc.nat(DAY_MS - 1))
  .map(([day, ms]) => Date.parse(`2019-${day}T00:00:00Z`) + ms);

test('a local time is the instant that java.time makes of it, in gaps and overlaps too', () => {
  fc.assert(
    fc.property(fc.oneof(settled, changing), zones, (local, id) => {
      const time = joda.LocalDateTime.ofEpochSecond(Math.floor(local / 1000), joda.ZoneOffset.UTC);
      const wanted = time.atZone(joda.ZoneId.of(id)).toInstant().toEpochMilli();
      expect(instantOf(Math.floor(local / 1000) * 1000, zone(id))).toBe(wanted);
    }),
    { numRuns: 1000 },
  );
});
