// The kernel suite's query by duckdb-wasm where somebody has installed it; knows no other peer.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Events } from './events.ts';
import { SIZE_MS } from './kernel-subjects.ts';
import type { Subject } from './run.ts';

/** What of the package is used: its declarations come with it, and it is not among our dependencies. */
interface DuckDb {
  readonly NODE_RUNTIME: object;
  readonly VoidLogger: new () => object;
  createDuckDB(bundles: object, logger: object, runtime: object): Promise<Bindings>;
}

interface Bindings {
  instantiate(onProgress: () => void): Promise<unknown>;
  getVersion(): string;
  registerFileBuffer(name: string, bytes: Uint8Array): void;
  dropFile(name: string): void;
  connect(): Connection;
}

interface Connection {
  query(sql: string): { toArray(): readonly Readonly<Record<string, unknown>>[] };
  close(): void;
}

const PACKAGE = '@duckdb/duckdb-wasm';
const FILE = 'events.csv';

/** 31 MB packed, 150 unpacked: whoever wants the comparison installs it. */
export const DUCKDB_MISSING = `Without duckdb-wasm, too large for a dev dependency: \`npm install --no-save ${PACKAGE}\` brings it in.`;

/** An engine without tables; null: the package is not there. @throws what it fails with */
export async function openDuckDb(): Promise<Bindings | null> {
  const require = createRequire(import.meta.url);
  let folder: string;
  try {
    folder = dirname(require.resolve(PACKAGE));
  } catch {
    return null; // DUCKDB_MISSING says so.
  }
  const duckdb = require(join(folder, 'duckdb-node-blocking.cjs')) as DuckDb;
  const bundle = (name: string) => ({
    mainModule: join(folder, `duckdb-${name}.wasm`),
    mainWorker: join(folder, `duckdb-node-${name}.worker.cjs`),
  });
  const bundles = { mvp: bundle('mvp'), eh: bundle('eh') };
  const database = await duckdb.createDuckDB(bundles, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
  await database.instantiate(() => undefined);
  return database;
}

/** A table in memory; as with SQLite the query's rows are counted and summed there, so that none crosses over. */
export function duckDb(database: Bindings, events: Events): Subject & { end(): void } {
  const connection = database.connect();
  const lines = events.batches.flatMap(({ keys, rowtime, value }) =>
    keys.map((key, i) => `${key},${rowtime[i] ?? 0},${value[i] ?? 0}`),
  );
  database.registerFileBuffer(FILE, new TextEncoder().encode(lines.join('\n')));
  connection.query(`CREATE OR REPLACE TABLE events AS
    SELECT * FROM read_csv('${FILE}', header = false, columns = {'k': 'VARCHAR', 't': 'BIGINT', 'x': 'DOUBLE'})`);
  database.dropFile(FILE);
  const query = `SELECT COUNT(*) + SUM(s) AS checksum, SUM(n) + MIN(least) + MAX(most) + AVG(mean) AS used FROM (
    SELECT COUNT(*) AS n, SUM(x) AS s, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean FROM events GROUP BY k, t // ${SIZE_MS})`;
  return {
    subject: 'duckdb-wasm, a batch',
    prepare: () => () => Number(connection.query(query).toArray()[0]?.['checksum']),
    end: () => {
      connection.query('DROP TABLE events');
      connection.close();
    },
  };
}
