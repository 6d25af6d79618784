// Running a prepared SELECT for one connection: push queries here in the Worker, pull queries at the objects; knows no format of answers.

import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { PUSH_QUERIES_MAX, TOPIC_READS_MAX } from '../../runtime/base/limits.ts';
import { printTopic } from '../../runtime/engine/print-topic.ts';
import { partitionsAsked } from '../../runtime/engine/pull-partitions.ts';
import { startStreamPull } from '../../runtime/engine/pull-stream.ts';
import { startPush } from '../../runtime/engine/push.ts';
import { continuationToken, isResumable, placedAt, Places } from '../../runtime/engine/resume.ts';
import { QueryRows, type QueryRowsOptions } from '../../runtime/engine/query-rows.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import type { TaskStore } from '../../runtime/ports/store.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { Print } from '../../runtime/sql/ast.ts';
import { ensureTopic, internalTopic } from '../../runtime/engine/system.ts';
import { PROCESSING_LOG_TOPIC } from '../../runtime/task/task-topics.ts';
import { inputsOf, taskId } from '../../runtime/task/topology.ts';
import { typeText } from '../../runtime/data/type.ts';
import type { Calls } from '../calls.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { pacedLog } from '../adapters/paced-log.ts';
import { catalogOf, processorAt } from '../env.ts';
import { answers } from '../guard/answers.ts';
import { kernel } from '../kernel.ts';
import type { PreparedQuery, Script } from '../objects/prepare.ts';
import { OpenQueries } from '../open-queries.ts';
import { gaveWay, pushRoom, stateBytesOf } from '../push-room.ts';
import { registry } from '../registry.ts';
import { answerText, type RowText, rowTexts } from '../rows.ts';
import { unwrap } from '../wire.ts';
import type { Edge } from './context.ts';
import { pulledFrom } from './pulled.ts';

/** A query under way. */
export interface RunningQuery {
  readonly kind: 'push' | 'pull';
  /** null for a pull query. */
  readonly queryId: string | null;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The columns as SQL; keys are marked in pull queries only. */
  readonly schemaText: string;
  /** What is said after the last row; null: nothing. */
  readonly finalMessage: string | null;
  /** true: `token` names places from which the query goes on. */
  readonly isResumable: boolean;
  /**
   * The place behind the rows handed out so far; null where it cannot be resumed.
   * @param rowsLeft how many rows at the end of the last batch do not count as handed out
   */
  token(rowsLeft: number): string | null;
  rows(): AsyncIterable<readonly RowText[]>;
  /** Calls when its rows are of no use any more, because it had to give way: whoever waits with some in hand is to let go of them. */
  onEnded(call: () => void): void;
  /** Ends it; whatever else ends the iteration does so too. */
  close(): Promise<void>;
}

/** A PRINT under way. */
export interface Printing {
  readonly kind: 'print';
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/**
 * Plans and starts the SELECT or PRINT of a script.
 * @param token from where an earlier connection has stopped; null: from the beginning
 * @throws {StatementError}
 */
export async function startQuery(
  edge: Edge,
  script: Script,
  token: string | null,
): Promise<RunningQuery | Printing> {
  try {
    return await started(edge, script, token);
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    // Where a query was replaced between its plan and its rows, another plan finds them.
    return started(edge, script, token);
  }
}

/** As `startQuery`, for connections that carry rows. @throws {StatementError} UNSUPPORTED: a PRINT */
export async function startSelect(
  edge: Edge,
  script: Script,
  token: string | null,
): Promise<RunningQuery> {
  const query = await startQuery(edge, script, token);
  if (query.kind !== 'print') return query;
  query.close();
  throw new StatementError(
    'UNSUPPORTED',
    'PRINT answers lines of text, no rows',
    null,
    'POST it to /query without asking for events.',
  );
}

async function started(
  edge: Edge,
  script: Script,
  token: string | null,
): Promise<RunningQuery | Printing> {
  const { env, tenant } = edge;
  const prepared = await unwrap(catalogOf(env, tenant).prepare(script));
  if (token !== null && prepared.kind !== 'push')
    throw new StatementError('INVALID', 'only push queries go on from a token');
  switch (prepared.kind) {
    case 'print':
      return print(edge, prepared.print);
    case 'push':
      await ensureProcessingLog(edge, prepared.plan);
      return push(edge, prepared.plan, token);
    case 'streamPull':
      await ensureProcessingLog(edge, prepared.plan);
      return streamPull(edge, prepared.plan);
    case 'pull':
      return pull(edge, prepared);
  }
}

/** The stream is there from the beginning, its topic from the first statement that makes something: a query may come before. */
async function ensureProcessingLog({ log }: Edge, plan: Plan): Promise<void> {
  const topics = plan.subtopologies.flatMap((part) => inputsOf(part, 0).map(({ topic }) => topic));
  if (!topics.includes(PROCESSING_LOG_TOPIC)) return;
  await ensureTopic(log, internalTopic(PROCESSING_LOG_TOPIC));
}

/** Of this isolate: push queries, and what reads topics once through. */
const open = new OpenQueries(PUSH_QUERIES_MAX, 'PUSH_QUERIES_MAX');
const reads = new OpenQueries(TOPIC_READS_MAX, 'TOPIC_READS_MAX');

/** Counts one in for as long as it runs. @param start is given what counts it out */
async function counted<T>(
  among: OpenQueries,
  queryId: string,
  start: (leave: () => void) => Promise<T>,
): Promise<T> {
  const leave = among.enter(queryId);
  return start(leave).catch((thrown: unknown) => {
    leave();
    throw thrown;
  });
}

/** Lines end with the connection: `close` is how that is told. */
function print({ log, calls }: Edge, statement: Print): Promise<Printing> {
  return counted(reads, crypto.randomUUID(), async (leave) => {
    const connection = new AbortController();
    const lines = await printTopic([statement], log, [connection.signal]);
    const heard = calls.onOver(() => connection.abort());
    return {
      kind: 'print',
      lines: wholeOf(lines, calls),
      close: () => {
        heard();
        connection.abort();
        leave();
      },
    };
  });
}

/** Lines that nobody takes for all of them where they end because of calls. */
async function* wholeOf(
  lines: AsyncIterable<string>,
  calls: Calls,
): AsyncGenerator<string, void, undefined> {
  yield* lines;
  if (calls.isOver) throw calls.refusal;
}

/** Ends a push query of this isolate. @returns false: none of that id runs here */
export function closeQuery(queryId: string): Promise<boolean> {
  return open.close(queryId);
}

/** Places that know what the state of the query takes, and what lies between its tasks. */
class StoredPlaces extends Places {
  #store: TaskStore | null = null;

  override put(store: TaskStore): Promise<void> {
    this.#store = store;
    return super.put(store);
  }

  get stateBytes(): number {
    return this.#store === null ? 0 : stateBytesOf(this.#store);
  }
}

async function push({ log, calls }: Edge, plan: Plan, token: string | null): Promise<RunningQuery> {
  // Told apart from all others, in this Worker and elsewhere: /close-query names it.
  const own = { ...plan, query: `${plan.query}_${crypto.randomUUID().slice(0, 8)}` };
  const places = new StoredPlaces(token === null ? null : placedAt(own, token));
  const reading = pushRoom.enter();
  let end = (): void => undefined;
  let isOutOfCalls = false;
  const heard = calls.onOver(() => {
    isOutOfCalls = true;
    end();
  });
  const over = (): void => {
    heard();
    reading.leave();
  };
  let rows: QueryRowsOptions;
  try {
    rows = await counted(open, own.query, (leave) =>
      startPush({
        plan: own,
        places,
        // Who goes on behind what was read is promised that nothing is left out.
        isWhole: isResumable(plan),
        host: { log: pacedLog(log, reading), clock: wallClock, kernel },
        formats: FORMATS,
        registry,
        signal: null,
        public: {},
        onEnd: () => {
          over();
          leave();
        },
      }),
    );
  } catch (thrown) {
    over();
    throw thrown;
  }
  const close = (): Promise<void> => {
    // Or what waits for the reader would hold up the end.
    reading.leave();
    return rows.close();
  };
  let ended = (): void => undefined;
  end = () => {
    ended();
    void close();
  };
  reading.begin(() => places.stateBytes, end);
  if (isOutOfCalls) end();
  const next = async (): Promise<Batch | null> => {
    const batch = await reading.next(rows.next);
    if (batch === null) reading.leave();
    if (batch === null && reading.hasGivenWay) throw gaveWay();
    if (batch === null && isOutOfCalls) throw calls.refusal;
    return batch;
  };
  open.started(own.query, close);
  const tokenBehind = (rowsLeft: number) => continuationToken(own, places.behind(rowsLeft));
  return running(
    new QueryRows({ ...rows, next, close }),
    isResumable(own) ? tokenBehind : null,
    (call) => (ended = call),
  );
}

function streamPull({ log }: Edge, plan: Plan): Promise<RunningQuery> {
  const options = {
    plan,
    host: { log, kernel },
    formats: FORMATS,
    registry,
    signal: null,
    public: {},
  };
  return counted(reads, crypto.randomUUID(), async (leave) => {
    const rows = await startStreamPull(options);
    const close = async (): Promise<void> => {
      leave();
      await rows.close();
    };
    return running(new QueryRows({ ...rows, close }), null);
  });
}

/** @param token of a query that can be resumed, by how many rows of the last batch are left; null: it cannot be */
function running(
  rows: QueryRows,
  token: ((rowsLeft: number) => string) | null,
  onEnded: RunningQuery['onEnded'] = () => undefined,
): RunningQuery {
  const { kind, queryId, columns } = rows;
  return {
    kind,
    queryId,
    columns,
    schemaText: answerText(rows),
    get finalMessage() {
      return rows.finalMessage;
    },
    isResumable: token !== null,
    token: (rowsLeft) => token?.(rowsLeft) ?? null,
    onEnded,
    close: () => rows.close(),
    rows: async function* () {
      const batches = rows.batches();
      // No variable of this one holds a batch, or its texts, while the reader, or the next one, is waited for.
      const next = async (): Promise<readonly RowText[] | null> => {
        const { value } = await batches.next();
        return value === undefined ? null : rowTexts(value);
      };
      try {
        let texts: readonly RowText[] | null;
        while ((texts = await next()) !== null) {
          yield texts;
          texts = null;
        }
      } finally {
        await batches.return();
      }
    },
  };
}

/** The tasks that may hold what is asked for answer, each for its own partition, from committed state. */
async function pull(
  { env, tenant }: Edge,
  { pull: plan, partitions, planned }: PreparedQuery & { readonly kind: 'pull' },
): Promise<RunningQuery> {
  const asked = [...partitionsAsked(plan, partitions, FORMATS).keys()];
  const { lines } = await pulledFrom(asked, plan.limit, async (partition, bytesMax) => {
    const task = taskId({ query: plan.query, subtopology: plan.table.subtopology, partition });
    return unwrap(processorAt(env, tenant, task).pull(plan, planned, bytesMax));
  });
  const { order, schema } = plan.projection;
  const columns = order.flatMap((index) => schema.columns[index] ?? []);
  const kept = answers.keep(lines);
  return {
    kind: 'pull',
    queryId: null,
    columns: columns.map(({ name, type }) => ({ name, type: typeText(type) })),
    schemaText: answerText({ kind: 'pull', schema: { columns } }),
    finalMessage: null,
    isResumable: false,
    token: () => null,
    onEnded: () => undefined,
    close: async () => kept.letGo(),
    rows: async function* () {
      let some: readonly RowText[];
      try {
        while ((some = kept.next().map((columns) => ({ columns, isDelete: false }))).length > 0) {
          yield some;
          some = [];
        }
      } finally {
        kept.letGo();
      }
    },
  };
}
