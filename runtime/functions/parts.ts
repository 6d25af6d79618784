// The themes of functions and the bodies of aggregates, which are fetched on first use; knows only their names and types.

import { Part } from '../base/part.ts';
import type * as AggregateBodies from './aggregate-bodies.ts';
import type * as RegexpBodies from './regexp-bodies.ts';
import type { Overload } from './registry.ts';

/** The functions of one theme: their names are known at once, their overloads when a statement calls one. */
export interface Theme {
  readonly names: readonly string[];
  readonly part: Part<{ readonly overloads: readonly Overload[] }>;
}

function theme(name: string, names: string): Theme {
  return { names: names.split(' '), part: new Part(name) };
}

export const AGGREGATES = theme(
  'aggregates',
  'COUNT SUM SUM_LIST AVG MIN MAX EARLIEST_BY_OFFSET LATEST_BY_OFFSET COLLECT_LIST TOPK TOPKDISTINCT',
);
export const ARRAYS = theme(
  'functions of arrays',
  'ARRAY_CONCAT ARRAY_CONTAINS ARRAY_DISTINCT ARRAY_EXCEPT ARRAY_INTERSECT ARRAY_JOIN ARRAY_LENGTH ARRAY_MAX ARRAY_MIN ARRAY_REMOVE ARRAY_SORT ARRAY_UNION GENERATE_SERIES SLICE',
);
export const LAMBDAS = theme('functions with lambdas', 'TRANSFORM FILTER REDUCE');
export const MAPS = theme('functions of maps', 'AS_MAP ENTRIES MAP_KEYS MAP_VALUES MAP_UNION');
export const MATH = theme(
  'functions of numbers',
  'ABS CEIL FLOOR ROUND SIGN SQRT RANDOM LEAST GREATEST',
);
export const NULLS = theme('functions of nulls', 'COALESCE IFNULL NULLIF AS_VALUE');
export const STRINGS = theme(
  'functions of text',
  'LCASE UCASE INITCAP LEN TRIM SUBSTRING CONCAT REPLACE SPLIT',
);
export const TEXTS = theme(
  'rarer functions of text',
  'CHR CONCAT_WS INSTR LPAD RPAD SPLIT_TO_MAP ELT FIELD UUID',
);
export const BYTES = theme(
  'functions of bytes',
  'ENCODE TO_BYTES FROM_BYTES INT_FROM_BYTES BIGINT_FROM_BYTES DOUBLE_FROM_BYTES MD5',
);
export const MASKS = theme(
  'functions that mask',
  'MASK MASK_KEEP_LEFT MASK_KEEP_RIGHT MASK_LEFT MASK_RIGHT',
);
export const URLS = theme(
  'functions of URLs',
  'URL_ENCODE_PARAM URL_DECODE_PARAM URL_EXTRACT_FRAGMENT URL_EXTRACT_HOST URL_EXTRACT_PARAMETER URL_EXTRACT_PATH URL_EXTRACT_PORT URL_EXTRACT_PROTOCOL URL_EXTRACT_QUERY',
);
export const JSONS = theme(
  'functions of JSON',
  'EXTRACTJSONFIELD IS_JSON_STRING JSON_ARRAY_CONTAINS JSON_ARRAY_LENGTH JSON_CONCAT JSON_ITEMS JSON_KEYS JSON_RECORDS TO_JSON_STRING',
);
export const REGEXPS = theme(
  'functions of regular expressions',
  'REGEXP_EXTRACT REGEXP_EXTRACT_ALL REGEXP_REPLACE REGEXP_SPLIT_TO_ARRAY',
);
export const GEO = theme('functions of places', 'GEO_DISTANCE');
export const TIMES = theme('functions of time', 'UNIX_TIMESTAMP UNIX_DATE FROM_UNIXTIME');

export const AGGREGATE_BODIES = new Part<typeof AggregateBodies>('aggregate functions');
export const REGEXP_BODIES = new Part<typeof RegexpBodies>('regular expressions');

/** Every theme, in the order of resolution. */
export const THEMES: readonly Theme[] = [
  NULLS,
  MATH,
  STRINGS,
  TIMES,
  ARRAYS,
  MAPS,
  LAMBDAS,
  TEXTS,
  BYTES,
  MASKS,
  URLS,
  JSONS,
  REGEXPS,
  GEO,
  AGGREGATES,
];
