// What is said at paths where nothing is: of those that ksqlDB's server has, what does the same here; knows no request.

/** By the first part of the path. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  [
    'inserts-stream',
    'append records with POST /topics/<topic>/records, or rows with INSERT at /ksql',
  ],
  ['status', 'a statement is done when it is answered; GET /queries has the state of each query'],
  [
    'clusterStatus',
    'there is no cluster; GET /queries has the state of each task, and GET /metrics its lag',
  ],
  ['heartbeat', 'there is no cluster'],
  ['lag', 'GET /metrics has the lag of each task'],
  [
    'is_valid_property',
    'a property that is not known is refused where it is given; SHOW PROPERTIES lists them',
  ],
  ['v1', 'GET /info has the ids of the service'],
]);

/** The message of a 404. */
export function nothingAt(path: string): string {
  const instead = INSTEAD.get(path.split('/')[1] ?? '');
  if (instead !== undefined) return `this path of ksqlDB's is not here: ${instead}`;
  const isSlashed = path.length > 1 && path.endsWith('/');
  return isSlashed
    ? 'there is nothing at this path; none ends in /'
    : 'there is nothing at this path';
}
