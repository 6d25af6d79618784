// The analysis of rarer clauses, fetched together: windows that are not plainly tumbling, windowed keys, other ways to emit, PARTITION BY, clauses out of place.

export { repartitioned } from './partition-by.ts';
export {
  refuseMisplacedHaving,
  refuseMisplacedPartitionBy,
  refuseMisplacedWindow,
  refuseWindowedTable,
  wrongKind,
} from './rules/placement.ts';
export { analyzedWindow, emissionOf, keyWindow } from './windows.ts';
export { rekeyedFormats } from './rekeyed-formats.ts';
export { fieldItems } from './struct-star.ts';
export { rarerTimestamp } from './timestamp-format.ts';
