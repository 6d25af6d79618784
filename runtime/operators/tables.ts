// The operators of tables, fetched together: tables as sources, and filters that take rows back.

export { materialize } from './materialize.ts';
export { tableFilter } from './table-filter.ts';
