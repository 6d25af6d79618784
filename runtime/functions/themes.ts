// The names of all functions that the main job does not call, by theme, and how each theme is fetched; knows no function.

import type { Part } from '../base/part.ts';
import { type FetchedTheme, theme } from './parts.ts';
import { REGEXP_BODIES } from './regexp-part.ts';
import type { Overload } from './registry.ts';

function fetched(
  name: string,
  names: string,
  fetch: () => PromiseLike<readonly Overload[]>,
): FetchedTheme {
  const made = theme(names);
  made.part.from(name, () => fetch().then((overloads) => ({ overloads })));
  return made;
}

export const THEMES: readonly FetchedTheme[] = [
  fetched('functions of nulls', 'COALESCE IFNULL NULLIF AS_VALUE', () =>
    import('./nulls.ts').then(({ NULLS }) => NULLS),
  ),
  fetched(
    'functions of numbers',
    'ABS CEIL FLOOR ROUND TRUNC SIGN SQRT RANDOM LEAST GREATEST',
    () => import('./math.ts').then(({ MATH }) => MATH),
  ),
  fetched(
    'functions of real numbers and of places',
    'CBRT EXP LN LOG POWER PI DEGREES RADIANS SIN COS TAN COT SINH COSH TANH ASIN ACOS ATAN ATAN2 GEO_DISTANCE',
    () => import('./reals.ts').then(({ REALS }) => REALS),
  ),
  fetched(
    'functions of time',
    'UNIX_TIMESTAMP UNIX_DATE FROM_UNIXTIME FROM_DAYS DATEADD DATESUB TIMEADD TIMESUB TIMESTAMPADD TIMESTAMPSUB',
    () => import('./times.ts').then(({ TIMES }) => TIMES),
  ),
  fetched(
    'functions of dates and times as texts',
    'FORMAT_DATE FORMAT_TIME FORMAT_TIMESTAMP PARSE_DATE PARSE_TIME PARSE_TIMESTAMP CONVERT_TZ DATETOSTRING STRINGTODATE STRINGTOTIMESTAMP TIMESTAMPTOSTRING',
    () => import('./time-texts.ts').then(({ TIME_TEXTS }) => TIME_TEXTS),
  ),
  fetched(
    'functions of arrays',
    'ARRAY_CONCAT ARRAY_CONTAINS ARRAY_DISTINCT ARRAY_EXCEPT ARRAY_INTERSECT ARRAY_JOIN ARRAY_LENGTH ARRAY_MAX ARRAY_MIN ARRAY_REMOVE ARRAY_SORT ARRAY_UNION GENERATE_SERIES SLICE',
    () => import('./arrays.ts').then(({ ARRAYS }) => ARRAYS),
  ),
  fetched('functions of maps', 'AS_MAP ENTRIES MAP_KEYS MAP_VALUES MAP_UNION', () =>
    import('./maps.ts').then(({ MAPS }) => MAPS),
  ),
  fetched('functions with lambdas', 'TRANSFORM FILTER REDUCE', () =>
    import('./lambdas.ts').then(({ LAMBDAS }) => LAMBDAS),
  ),
  fetched('functions of text', 'LCASE UCASE INITCAP LEN TRIM SUBSTRING CONCAT REPLACE SPLIT', () =>
    import('./strings.ts').then(({ STRINGS }) => STRINGS),
  ),
  fetched(
    'rarer functions of text',
    'CHR CONCAT_WS INSTR LPAD RPAD SPLIT_TO_MAP ELT FIELD UUID',
    () => import('./texts.ts').then(({ TEXTS }) => TEXTS),
  ),
  fetched(
    'functions of bytes, and those that mask',
    'ENCODE TO_BYTES FROM_BYTES INT_FROM_BYTES BIGINT_FROM_BYTES DOUBLE_FROM_BYTES MD5 MASK MASK_KEEP_LEFT MASK_KEEP_RIGHT MASK_LEFT MASK_RIGHT',
    () => import('./bytes.ts').then(({ BYTES_FUNCTIONS }) => BYTES_FUNCTIONS),
  ),
  fetched(
    'functions of URLs',
    'URL_ENCODE_PARAM URL_DECODE_PARAM URL_EXTRACT_FRAGMENT URL_EXTRACT_HOST URL_EXTRACT_PARAMETER URL_EXTRACT_PATH URL_EXTRACT_PORT URL_EXTRACT_PROTOCOL URL_EXTRACT_QUERY',
    () => import('./urls.ts').then(({ URLS }) => URLS),
  ),
  fetched(
    'functions of JSON',
    'EXTRACTJSONFIELD IS_JSON_STRING JSON_ARRAY_CONTAINS JSON_ARRAY_LENGTH JSON_CONCAT JSON_ITEMS JSON_KEYS JSON_RECORDS TO_JSON_STRING',
    () => import('./jsons.ts').then(({ JSONS }) => JSONS),
  ),
  fetched(
    'functions of regular expressions',
    'REGEXP_EXTRACT REGEXP_EXTRACT_ALL REGEXP_REPLACE REGEXP_SPLIT_TO_ARRAY',
    () => import('./regexps.ts').then(({ REGEXPS }) => REGEXPS),
  ),
  fetched(
    'rarer aggregates',
    'ATTR COLLECT_LIST COLLECT_SET CORRELATION COUNT_DISTINCT EARLIEST_BY_OFFSET HISTOGRAM LATEST_BY_OFFSET STDDEV_SAMP STDDEV_SAMPLE SUM_LIST TOPK TOPKDISTINCT',
    () => import('./rare-aggregates.ts').then(({ RARE_AGGREGATES }) => RARE_AGGREGATES),
  ),
  fetched('table functions', 'CUBE_EXPLODE EXPLODE', () =>
    import('./tables.ts').then(({ TABLES }) => TABLES),
  ),
];

REGEXP_BODIES.from('regular expressions', () => import('./regexp-bodies.ts'));

/** Every part behind this one, for whoever fetches all of them. */
export const PARTS: readonly Part<object>[] = [...THEMES.map(({ part }) => part), REGEXP_BODIES];
