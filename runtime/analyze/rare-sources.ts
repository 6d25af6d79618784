// What is rare about streams and tables, fetched together: header columns, source tables, CREATE OR REPLACE and ALTER.

export { headerColumn } from './header-columns.ts';
export { analyzeAlter, analyzeReplacement } from './replace.ts';
export { analyzeReadOnly } from './source-table.ts';
