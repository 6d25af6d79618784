// What the command line may say and how it is used; knows no engine.

import { parseArgs } from 'node:util';
import { WORKERS_MAX } from '../runtime/base/limits.ts';

export const USAGE = `millrace: event streaming with SQL

usage: millrace run APP.sql [--input TOPIC=FILE.ndjson]... [options]
       millrace test FILE|FOLDER... [--filter TEXT]
       millrace migrate --url URL FOLDER [--dry-run]
       millrace restore --url URL --all | --topic NAME [--partition N] | --query ID [--to TIME]
       millrace --help | --version

  --input TOPIC=FILE   feeds the lines of a file into a topic: each line one JSON object of columns. KEY columns go to the
                       record's key, an optional ROWTIME (milliseconds since 1970) to its timestamp, which is else the time
                       of reading. Several files are fed one after the other, in the order given.
  --output NAME        prints the changes of this stream, table or topic; may be given several times.
                       Default: all that the persistent queries of APP.sql write.
  --database FILE      keeps topics, tables and positions in this file (SQLite; made when it is not there), so that the next run
                       goes on where this one ends. Default: all is in memory and gone afterwards. CREATE and INSERT INTO ... SELECT
                       of APP.sql that are in the file already, word for word, are passed over; everything else is done again.
                       Changes that an earlier run has printed are not printed again; SELECT ... EMIT CHANGES sees all that its topic
                       holds. One run has the file at a time.
  --workers N          spreads the partitions of queries over N threads, 1 .. ${WORKERS_MAX}; the results are the same. Default: 1, one thread for all.
  --stats FILE         writes counts as JSON: records in by topic, of this run; late and out by query, since it was created.

Results go to stdout, one JSON object a line, in the order of their topic (between several topics no order is promised):
  {"source": "...", "key": {...}, "window"?: {"start": ms, "end": ms}, "value": {...} or null, "rowtime": ms}
A SELECT of APP.sql prints rows alike, its id as the source: with EMIT CHANGES as they come, without at the end of the input.
Problems go to stderr. A line that is no record is reported, counted and skipped.

test runs the tests of SQL files (of a folder: all its *.sql), each on a fresh engine in memory: from '--@test: name' on, statements and
ASSERT VALUES, ASSERT NULL VALUES, ASSERT STREAM and ASSERT TABLE; '--@expected.error:' and '--@expected.message:' say how it is to fail.
It prints TAP, for each test a line 'ok' or 'not ok', with what was expected and what came.
  --filter TEXT        only tests whose name has this in it

migrate applies the SQL files of a folder to an edge, once each, in the order of the numbers that their names begin with (V000001__orders.sql).
The edge remembers what is applied, with checksums: a file that has changed since, or is gone, is refused before anything is applied. When a
statement fails those before it stay done, and the mended file goes on behind them. SET and DEFINE hold for their own file.
  --url URL            where the edge is. Its key is taken from the environment: MILLRACE_TOKEN
  --dry-run            says what would be applied

restore puts topics and tasks of an edge back to what they were, where its host keeps earlier states; without --to it says that files were, or are
going to be, put back by hand (docs/restore.md). It prints what became of each topic and task.
  --url URL            as for migrate
  --all                every topic, and every task to a minute before
  --topic NAME         a topic, or with --partition N that partition of it
  --query ID           the tasks of a query
  --to TIME            2027-03-01T12:00:00Z, or milliseconds since 1970

exit status: 0 all went well, 1 a statement, a query or a test failed, 2 wrong usage
`;

/** The command line is not what USAGE says. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A file whose lines are fed into a topic. */
export interface Input {
  readonly topic: string;
  readonly path: string;
}

export interface RunArguments {
  readonly command: 'run';
  /** Path of the SQL text. */
  readonly app: string;
  readonly inputs: readonly Input[];
  /** Names of sources or topics; empty: what the persistent queries write. */
  readonly outputs: readonly string[];
  /** Path of the database; null: everything is in memory. */
  readonly database: string | null;
  readonly stats: string | null;
  /** Threads for tasks; 1: there are none beside the engine's. */
  readonly workers: number;
}

export interface MigrateArguments {
  readonly command: 'migrate';
  readonly url: string;
  /** Path of the folder of SQL files. */
  readonly folder: string;
  readonly dryRun: boolean;
}

export interface RestoreArguments {
  readonly command: 'restore';
  readonly url: string;
  /** The body of POST /restore. */
  readonly order: {
    readonly toMs: number | null;
    readonly all?: true;
    readonly topic?: string;
    readonly partition?: number;
    readonly query?: string;
  };
}

export interface TestArguments {
  readonly command: 'test';
  /** Files and folders; one at least. */
  readonly paths: readonly string[];
  /** What names of tests have in them; null: all are run. */
  readonly filter: string | null;
}

export type Arguments =
  | RunArguments
  | MigrateArguments
  | RestoreArguments
  | TestArguments
  | { readonly command: 'help' | 'version' };

/** @throws {UsageError} */
export function readArguments(given: readonly string[]): Arguments {
  const { values, positionals } = parsed(given);
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  const [command, app, ...more] = positionals;
  if (command === undefined) throw new UsageError('a command is missing');
  if (command === 'migrate') return migrateArguments(values, app, more);
  if (command === 'restore') return restoreArguments(values, positionals.slice(1));
  if (command === 'test') {
    if (app === undefined) throw new UsageError('the files of tests are missing');
    return { command, paths: [app, ...more], filter: values.filter ?? null };
  }
  if (command !== 'run') throw new UsageError(`there is no command '${command}'`);
  if (app === undefined) throw new UsageError('the SQL file is missing');
  if (more.length > 0) throw new UsageError(`one SQL file is run at a time, not also '${more[0]}'`);
  return {
    command,
    app,
    inputs: (values.input ?? []).map(inputOf),
    outputs: values.output ?? [],
    database: values.database ?? null,
    stats: values.stats ?? null,
    workers: workersOf(values.workers),
  };
}

type Values = ReturnType<typeof parsed>['values'];

function urlOf({ url }: Values): string {
  if (url === undefined) throw new UsageError('--url is missing: where the edge is');
  if (!URL.canParse(url)) throw new UsageError(`--url is no URL: '${url}'`);
  return url;
}

function restoreArguments(values: Values, [more]: readonly string[]): RestoreArguments {
  const url = urlOf(values);
  if (more !== undefined) throw new UsageError(`restore takes options alone, not '${more}'`);
  const { all, topic, partition, query, to } = values;
  if ([all, topic, query].filter((one) => one !== undefined).length !== 1)
    throw new UsageError('say one of --all, --topic NAME and --query ID');
  if (partition !== undefined && (topic === undefined || !/^\d+$/.test(partition)))
    throw new UsageError('--partition N is a number, beside --topic');
  const toMs = to === undefined ? null : timeOf(to);
  if (query !== undefined && toMs === null) throw new UsageError('--query wants a time, --to');
  const one = partition === undefined ? {} : { partition: Number(partition) };
  const what = query === undefined ? { all: true as const } : { query };
  return {
    command: 'restore',
    url,
    order: { ...(topic === undefined ? what : { topic, ...one }), toMs },
  };
}

/** A time without a zone would be another one on each machine. */
function timeOf(given: string): number {
  const ms = /^\d+$/.test(given) ? Number(given) : Date.parse(given);
  const isZoned = /^\d+$|^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(given);
  if (isZoned && Number.isSafeInteger(ms)) return ms;
  throw new UsageError(`--to wants a time as 2027-03-01T12:00:00Z, not '${given}'`);
}

function migrateArguments(
  values: Values,
  folder: string | undefined,
  more: readonly string[],
): MigrateArguments {
  const url = urlOf(values);
  if (folder === undefined) throw new UsageError('the folder of SQL files is missing');
  if (more.length > 0)
    throw new UsageError(`one folder is applied at a time, not also '${more[0]}'`);
  return { command: 'migrate', url, folder, dryRun: values['dry-run'] };
}

function parsed(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        input: { type: 'string', multiple: true },
        output: { type: 'string', multiple: true },
        database: { type: 'string' },
        stats: { type: 'string' },
        workers: { type: 'string' },
        filter: { type: 'string' },
        url: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        all: { type: 'boolean' },
        topic: { type: 'string' },
        partition: { type: 'string' },
        query: { type: 'string' },
        to: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    });
  } catch (thrown) {
    // Only what was given can be at fault.
    if (thrown instanceof TypeError) {
      const [message = ''] = thrown.message.split('. ');
      throw new UsageError(message, { cause: thrown });
    }
    throw thrown;
  }
}

function workersOf(given = '1'): number {
  const workers = Number(given);
  if (/^\d+$/.test(given) && workers >= 1 && workers <= WORKERS_MAX) return workers;
  throw new UsageError(`--workers wants a number from 1 to ${WORKERS_MAX}, not '${given}'`);
}

function inputOf(given: string): Input {
  const at = given.indexOf('=');
  if (at < 1 || at === given.length - 1) {
    throw new UsageError(`--input wants TOPIC=FILE, not '${given}'`);
  }
  return { topic: given.slice(0, at), path: given.slice(at + 1) };
}
