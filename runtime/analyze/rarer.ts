// The analysis of rarer clauses, fetched together: windows that are not plainly tumbling, windowed keys, other ways to emit, clauses out of place.

export {
  refuseMisplacedHaving,
  refuseMisplacedPartitionBy,
  refuseMisplacedWindow,
} from './rules/placement.ts';
export { analyzedWindow, emissionOf, keyWindow } from './windows.ts';
