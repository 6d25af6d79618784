// What the options of each call of an engine may be (base/options.ts), for the engine and for the page before it; knows no engine.

export const EXECUTE_OPTIONS = { properties: 'object', onEntity: 'function' };
export const QUERY_OPTIONS = {
  properties: 'object',
  signal: 'object',
  bigint: "'exact' | 'bigint'",
};
export const PRINT_OPTIONS = { signal: 'object' };
export const INSERT_OPTIONS = {
  timestamp: 'number',
  headers: 'object',
  key: 'string | object | null',
};
export const TOPIC_RECORDS_OPTIONS = { partition: 'number', from: 'number', recordsMax: 'number' };
