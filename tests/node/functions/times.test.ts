// The functions of dates and times, one line a claim.

import { expect, test } from 'vitest';
import { BIGINT, DATE, INTEGER, TIME, TIMESTAMP } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { call, literal, text, valueOf } from '../../support/expressions.ts';

const int = (value: number | null): Expr => literal(value, INTEGER);
const big = (value: string): Expr => literal(value, BIGINT);
const date = (days: number | null): Expr => literal(days, DATE);
const time = (ms: number | null): Expr => literal(ms, TIME);
const stamp = (ms: number | null): Expr => literal(ms, TIMESTAMP);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 2026-07-04T12:30:15.250Z */
const JULY = Date.UTC(2026, 6, 4, 12, 30, 15, 250);
const JULY_DAY = Date.UTC(2026, 6, 4) / DAY;
const NEW_YEAR = Date.UTC(2026, 0, 1) / DAY;

test.each<[string, readonly Expr[], unknown]>([
  ['FROM_DAYS', [int(-1)], -1],
  ['DATEADD', [text('DAYS'), int(3), date(10)], 13],
  ['DATEADD', [text('DAYS'), int(-3), date(1)], -2],
  ['DATEADD', [text('HOURS'), int(47), date(10)], 11],
  ['DATEADD', [text('MILLISECONDS'), int(-1), date(10)], 9],
  ['DATEADD', [text('MILLISECONDS'), int(-1), date(-10)], -11],
  ['DATEADD', [text('DAYS'), int(null), date(10)], null],
  ['DATESUB', [text('DAYS'), int(3), date(10)], 7],
  ['DATESUB', [text('MINUTES'), int(-1440), date(10)], 11],
  ['TIMEADD', [text('SECONDS'), int(5), time(1000)], 6000],
  ['TIMEADD', [text('HOURS'), int(1), time(DAY - 1)], HOUR - 1],
  ['TIMEADD', [text('DAYS'), int(2), time(7)], 7],
  ['TIMESUB', [text('MILLISECONDS'), int(10), time(3)], DAY - 7],
  ['TIMESUB', [text('MINUTES'), int(-2), time(null)], null],
  ['TIMESTAMPADD', [text('DAYS'), int(1), stamp(5)], DAY + 5],
  ['TIMESTAMPADD', [text('HOURS'), int(-2), stamp(0)], -2 * HOUR],
  ['TIMESTAMPSUB', [text('MINUTES'), int(1), stamp(60_000)], 0],
  ['FORMAT_DATE', [date(JULY_DAY), text('dd.MM.yyyy')], '04.07.2026'],
  ['FORMAT_DATE', [date(JULY_DAY), text("EEEE d. MMM ''yy")], "Saturday 4. Jul '26"],
  ['FORMAT_DATE', [date(JULY_DAY), text("QQQ 'of' yyyy[ HH]")], 'Q3 of 2026'],
  ['FORMAT_DATE', [date(-1), text(null)], null],
  ['FORMAT_TIME', [time(13 * HOUR + 5), text('hh:mm a, SSS')], '01:00 PM, 005'],
  [
    'FORMAT_TIMESTAMP',
    [stamp(JULY), text("yyyy-MM-dd'T'HH:mm:ss.SSSX")],
    '2026-07-04T12:30:15.250Z',
  ],
  [
    'FORMAT_TIMESTAMP',
    [stamp(JULY), text('HH:mm zzz xxx VV'), text('America/New_York')],
    '08:30 EDT -04:00 America/New_York',
  ],
  [
    'FORMAT_TIMESTAMP',
    [stamp(JULY), text('zzzz O'), text('Europe/Paris')],
    'Central European Summer Time GMT+2',
  ],
  ['FORMAT_TIMESTAMP', [stamp(JULY), text('HH:mm z'), text('+05:30')], '18:00 +05:30'],
  ['FORMAT_TIMESTAMP', [stamp(JULY), text('HH:mm'), text('PST')], '05:30'],
  ['PARSE_DATE', [text('04/07/2026'), text('dd/MM/yyyy')], JULY_DAY],
  ['PARSE_DATE', [text('4-JUL-2026'), text('d-MMM-yyyy')], JULY_DAY],
  ['PARSE_DATE', [text('2026'), text('yyyy')], NEW_YEAR],
  ['PARSE_DATE', [text('jan 2026'), text('MMM yyyy')], NEW_YEAR],
  ['PARSE_DATE', [text('2026-185'), text('yyyy-D')], JULY_DAY],
  ['PARSE_DATE', [text('2026 W27 7'), text("YYYY 'W'w e")], JULY_DAY],
  ['PARSE_DATE', [text('30.02.2026'), text('dd.MM.yyyy')], NEW_YEAR + 58],
  ['PARSE_TIME', [text('12.30'), text('HH.mm')], 12.5 * HOUR],
  ['PARSE_TIME', [text('1 pm'), text('h a')], 13 * HOUR],
  ['PARSE_TIMESTAMP', [text('20260704123015250'), text('yyyyMMddHHmmssSSS')], JULY],
  ['PARSE_TIMESTAMP', [text('2026-07-04 24:00'), text('yyyy-MM-dd HH:mm')], (JULY_DAY + 1) * DAY],
  [
    'PARSE_TIMESTAMP',
    [text('2026-07-04 08:30'), text('yyyy-MM-dd HH:mm'), text('America/New_York')],
    JULY - 15_250,
  ],
  [
    'PARSE_TIMESTAMP',
    [text('2026-07-04 14:30+02:00'), text('yyyy-MM-dd HH:mmXXX'), text('America/New_York')],
    JULY - 15_250,
  ],
  ['PARSE_TIMESTAMP', [text('2026-07-04 08:30 EDT'), text('yyyy-MM-dd HH:mm z')], JULY - 15_250],
  [
    'PARSE_TIMESTAMP',
    [text('12 o’clock PM, Pacific Daylight Time'), text("hh 'o’clock' a, zzzz")],
    20 * HOUR,
  ],
  ['CONVERT_TZ', [stamp(JULY), text('UTC'), text('Asia/Kolkata')], JULY + 5.5 * HOUR],
  ['CONVERT_TZ', [stamp(JULY), text('+02:00'), text('UTC')], JULY - 2 * HOUR],
  ['CONVERT_TZ', [stamp(null), text('UTC'), text('UTC')], null],
  ['DATETOSTRING', [int(0), text('yyyy.MM.dd G')], '1970.01.01 AD'],
  ['STRINGTODATE', [text('1970-01-02'), text('yyyy-MM-dd')], 1],
  ['STRINGTOTIMESTAMP', [text('02'), text('dd')], BigInt(DAY)],
  [
    'STRINGTOTIMESTAMP',
    [text('1970-01-02'), text('yyyy-MM-dd'), text('+01:00')],
    BigInt(23 * HOUR),
  ],
  ['TIMESTAMPTOSTRING', [big('0'), text('yyyy-MM-dd HH:mm:ss')], '1970-01-01 00:00:00'],
  ['TIMESTAMPTOSTRING', [big('0'), text('HH'), text('Asia/Tokyo')], '09'],
  ['UNIX_TIMESTAMP', [stamp(-1)], -1n],
  ['UNIX_DATE', [date(9)], 9],
])('%s, case %#', (name, given, expected) => {
  expect(valueOf(call(name, ...given))).toEqual(expected);
});

test.each<[string, readonly Expr[], string]>([
  ['DATEADD', [text('DAYS'), int(2_147_483_647), date(1)], 'beyond what a DATE can be'],
  ['TIMESTAMPADD', [text('DAYS'), int(2_147_483_647), stamp(0)], 'beyond what a TIMESTAMP can be'],
  ['FORMAT_DATE', [date(0), text('HH')], 'asks for a time'],
  ['FORMAT_TIME', [time(0), text('yyyy')], 'asks for a date'],
  ['FORMAT_DATE', [date(0), text('yyyy z')], 'asks for'],
  ['FORMAT_DATE', [date(0), text('yyyy J')], 'J has no meaning'],
  ['FORMAT_DATE', [date(0), text("'open")], 'a quote is not closed'],
  ['FORMAT_DATE', [date(0), text('yyyy]')], '] without ['],
  ['FORMAT_DATE', [date(0), text('{yyyy}')], '{ has no meaning'],
  ['FORMAT_DATE', [date(0), text('ddd')], 'd does not stand 3 times'],
  ['FORMAT_DATE', [date(-719_529), text('u w S')], 'asks for a time'],
  [
    'FORMAT_TIMESTAMP',
    [stamp(0), text('yyyy'), text('Mars/Olympus')],
    "no time zone 'Mars/Olympus'",
  ],
  ['FORMAT_TIMESTAMP', [stamp(9e15), text('yyyy'), text('Asia/Tokyo')], 'no zone has an offset'],
  ['PARSE_DATE', [text('2026-07-04x'), text('yyyy-MM-dd')], 'is not written as'],
  ['PARSE_DATE', [text('2026-13-01'), text('yyyy-MM-dd')], '13 is no month: it is 1 to 12'],
  ['PARSE_DATE', [text('2026-07-04 10'), text('yyyy-MM-dd HH')], 'a DATE has none'],
  ['PARSE_DATE', [text('Sun 2026-07-04'), text('EEE yyyy-MM-dd')], 'contradicts itself'],
  ['PARSE_DATE', [text('2026-366'), text('yyyy-D')], 'no day 366'],
  ['PARSE_DATE', [text('366'), text('D')], 'day 366 needs the year'],
  ['PARSE_TIME', [text('2026 10'), text('yyyy HH')], 'a TIME has none'],
  ['PARSE_TIME', [text('24:01'), text('HH:mm')], 'past 24:00'],
  ['PARSE_TIME', [text('13 am'), text('HH a')], 'contradicts itself'],
  ['PARSE_TIMESTAMP', [text('1 J'), text('d MMMMM')], 'is not written as'],
  ['PARSE_TIMESTAMP', [text('10+19:00'), text('HHXXX')], 'is not written as'],
])('%s fails on its row, case %#', (name, given, reason) => {
  const failed = valueOf(call(name, ...given));
  expect(failed).toBeInstanceOf(Error);
  expect(failed).toHaveProperty('message', expect.stringContaining(reason));
});
