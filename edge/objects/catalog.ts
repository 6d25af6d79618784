// A tenant's catalog as an object: topics and statements, and the calls that bring other objects in line; one object a tenant.

import { DurableObject } from 'cloudflare:workers';
import type { InsertValuesAnalysis } from '../../runtime/analyze/analysis.ts';
import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { SWEPT_TASKS_MAX } from '../../runtime/base/limits.ts';
import { log } from '../../runtime/base/log.ts';
import { produce } from '../../runtime/engine/insert.ts';
import { checkWritable, recordOf } from '../../runtime/engine/insert-rows.ts';
import type { Look } from '../../runtime/engine/caught-up.ts';
import type { Standing } from '../../runtime/engine/entities.ts';
import type { MigrationStatus } from '../../runtime/client/migrations.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { TopicDescription, TopicPartition, TopicSpec } from '../../runtime/ports/log.ts';
import { inputsOf, subtopologyOf, taskId, tasksOf } from '../../runtime/task/topology.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { RemoteLog } from '../adapters/remote-log.ts';
import {
  type CatalogPort,
  type EdgeEnv,
  type Migration,
  type MigrationAnswer,
  partitionAt,
  processorAt,
  type QueryStatus,
  type RestoreAnswer,
  type RestoreOrder,
  type ScriptAnswer,
} from '../env.ts';
import { inLanes } from '../lanes.ts';
import type { ListedTask } from '../metrics/meters.ts';
import { settle, settleAsync, toWire, unwrap, type Wire } from '../wire.ts';
import { Alarm } from './alarm.ts';
import { type CatalogEffect, EFFECT_ROUNDS, perform, targetOf } from './catalog-effects.ts';
import { beginProcessors } from './code-processors.ts';
import { EarlierState } from './earlier-state.ts';
import { Effects } from './effects.ts';
import { EntryTables } from './entry-tables.ts';
import { type MigrationRun, Migrations } from './migrations.ts';
import { prepareQuery, type PreparedQuery, type Script } from './prepare.ts';
import { Restoring } from './restoring.ts';
import { Rounds } from './rounds.ts';
import { analyzeOptions, execute } from './statements.ts';
import { TicketTables } from './ticket-tables.ts';
import { TopicTables } from './topic-tables.ts';

/** How soon the alarm repeats calls that were not acknowledged. */
const EFFECT_RETRY_MS = 1_000;
/** How often every task is woken, whatever else was lost. */
const SWEEP_MS = 60_000;
/** How soon a sweep of many tasks goes on. */
const SWEEP_ON_MS = 100;

export class Catalog extends DurableObject<EdgeEnv> implements CatalogPort {
  readonly #topics: TopicTables;
  readonly #entries: EntryTables;
  readonly #effects: Effects;
  readonly #migrations: Migrations;
  readonly #tickets: TicketTables;
  #migrating: Promise<void> = Promise.resolve();
  readonly #alarm: Alarm;
  readonly #swept = new Rounds(SWEPT_TASKS_MAX);
  /** Why processors of the code have not begun, as it was last told. */
  #waiting = '';

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    const { sql } = ctx.storage;
    this.#topics = new TopicTables(sql);
    this.#entries = new EntryTables(sql);
    this.#migrations = new Migrations(sql);
    this.#tickets = new TicketTables(sql);
    this.#effects = new Effects(sql, {
      send: (call) => perform(env, call as CatalogEffect),
      rounds: EFFECT_ROUNDS,
    });
    void ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.load();
      // A new version of the code may bring processors along, and no statement with them.
      if (this.#topics.tenant !== null) this.#beginProcessors(this.#topics.tenant);
      if (this.#effects.pending > 0) this.#alarm.arm(Date.now());
      else if (this.#hasTasks) this.#alarm.arm(Date.now() + SWEEP_MS);
    });
  }

  async createTopic(tenant: string, spec: TopicSpec): Promise<Wire<TopicDescription>> {
    return settleAsync(async () => {
      const { topic } = this.#commit(() => this.#topics.create(tenant, spec));
      await this.#effects.flush();
      return topic;
    });
  }

  async removeTopic(topic: string): Promise<Wire<null>> {
    return settleAsync(async () => {
      this.#refuseInUse(topic);
      this.#commit(() => ({ effects: this.#topics.remove(topic) }));
      await this.#effects.flush();
      return null;
    });
  }

  #refuseInUse(topic: string): void {
    for (const source of this.#entries.catalog.sources.values()) {
      if (source.topic !== topic) continue;
      const hint = `DROP ${source.kind.toUpperCase()} ${source.name} DELETE TOPIC lets both go.`;
      throw new StatementError('IN_USE', `topic '${topic}' holds ${source.name}`, null, hint);
    }
  }

  async restore(tenant: string, order: RestoreOrder): Promise<Wire<RestoreAnswer>> {
    return settleAsync(async () => {
      const { toMs } = order;
      if (toMs !== null) await new EarlierState(this.ctx).bookmark(toMs);
      const answer = await this.#restoring(tenant).restore(order);
      await this.#effects.flush();
      return answer;
    });
  }

  async foundRestored(at: TopicPartition, incarnation: string): Promise<Wire<null>> {
    return this.#realigned((restoring) => restoring.found(at, incarnation));
  }

  async realign(topic: string): Promise<Wire<null>> {
    return this.#realigned((restoring) => restoring.realign(topic));
  }

  /** Once everybody knows what is pending. */
  async #realigned(change: (restoring: Restoring) => void | Promise<void>): Promise<Wire<null>> {
    return settleAsync(async () => {
      const { tenant } = this.#topics;
      if (tenant === null) return null;
      await this.#effects.flush();
      await change(this.#restoring(tenant));
      await this.#effects.flush();
      return null;
    });
  }

  #restoring(tenant: string): Restoring {
    return new Restoring({
      env: this.env,
      tenant,
      topics: this.#topics,
      entries: this.#entries,
      commit: (body) => this.#commit(body),
    });
  }

  async topics(): Promise<Wire<readonly TopicDescription[]>> {
    return settle(() => this.#topics.list());
  }

  async topic(name: string): Promise<Wire<TopicDescription | null>> {
    return settle(() => this.#topics.describe(name));
  }

  async execute(tenant: string, script: Script): Promise<Wire<ScriptAnswer>> {
    return settleAsync(() => this.#execute(tenant, script));
  }

  async #execute(tenant: string, script: Script, run?: MigrationRun): Promise<ScriptAnswer> {
    this.#refuseUnknown(script.after);
    const { entities, failed } = await execute(script, {
      tenant,
      entries: this.#entries,
      topics: this.#topics,
      run,
      commit: (body) => {
        this.#commit(() => {
          const made = body();
          run?.write();
          return made;
        });
        run?.note();
      },
      insert: (analysis) => this.#insert(tenant, analysis),
      look: this.#look(tenant),
      standings: () => this.#standings(tenant),
    });
    this.#beginProcessors(tenant);
    await this.#effects.flush();
    if (failed === null) return { entities, failed };
    const { text, isQuery, thrown } = failed;
    return { entities, failed: { text, isQuery, error: toWire(thrown) } };
  }

  /** Begins the processors of the code whose streams and tables are there now. */
  #beginProcessors(tenant: string): void {
    const waiting = beginProcessors({
      tenant,
      entries: this.#entries,
      changed: (text, change, effects) =>
        this.#entries.add(text, change, (write, sequence) =>
          this.#commit(() => {
            write();
            this.#topics.changed();
            return { effects: effects(sequence) };
          }),
        ),
    });
    const told = waiting.map(({ message }) => message).join('; ');
    if (told !== this.#waiting && told !== '') log('warn', 'processors-waiting', { reason: told });
    this.#waiting = told;
  }

  async migrate(tenant: string, migration: Migration): Promise<Wire<MigrationAnswer>> {
    return settleAsync(async () => {
      const nothing = { applied: false, entities: [], failed: null };
      // Each isolate that begins asks for what its code brings along: not behind one that waits for tasks.
      if (this.#migrations.isApplied(migration)) return nothing;
      // One after the other: several isolates may bring the same statements along.
      const before = this.#migrating;
      const mine = Promise.withResolvers<void>();
      this.#migrating = mine.promise;
      await before;
      try {
        const run = this.#migrations.begin(migration);
        if (run === null) return nothing;
        const answer = await this.#execute(tenant, migration.script, run);
        run.end(answer.failed?.error.message ?? null);
        return { applied: true, ...answer };
      } finally {
        mine.resolve();
      }
    });
  }

  async migrations(): Promise<Wire<readonly MigrationStatus[]>> {
    return settle(() => this.#migrations.list());
  }

  /** Statements are numbered in one row: one that was acknowledged is known here. */
  #refuseUnknown(sequence = 0): void {
    if (sequence <= this.#entries.number) return;
    const known = `the last statement here is ${this.#entries.number}`;
    throw new PortError('UNAVAILABLE', `statement ${sequence} is not known: ${known}`);
  }

  async prepare(script: Script): Promise<Wire<PreparedQuery>> {
    return settle(() => {
      this.#topics.version(); // An answer is never given from memory alone: this instance may be the one before.
      const number = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      const tables = { entries: this.#entries, topics: this.#topics };
      return prepareQuery(script, {
        analyzeOptions: (properties) => analyzeOptions(tables, properties, number),
        entries: this.#entries,
      });
    });
  }

  async useTicket(nonce: string, expiresMs: number): Promise<Wire<boolean>> {
    return settle(() => this.#tickets.use(nonce, expiresMs, Date.now()));
  }

  async queries(tenant: string): Promise<Wire<readonly QueryStatus[]>> {
    return settleAsync(() => this.#queries(tenant));
  }

  async tasks(): Promise<Wire<readonly ListedTask[]>> {
    return settle(() =>
      this.#entries.plans.flatMap((plan) =>
        tasksOf(plan).map((name) => ({ query: plan.query, task: taskId(name) })),
      ),
    );
  }

  async #queries(tenant: string): Promise<QueryStatus[]> {
    const { plans } = this.#entries;
    const asked = plans.flatMap((plan) => tasksOf(plan).map((name) => ({ plan, name })));
    const answers = await inLanes(asked, async ({ plan, name }) => {
      const task = taskId(name);
      const answer = processorAt(this.env, tenant, task).status();
      const status = await unwrap(answer).catch((thrown: unknown) => {
        log('warn', 'task-unanswered', { query: plan.query, task, thrown });
        return undefined;
      });
      return { plan, task, status };
    });
    const byPlan = Map.groupBy(answers, ({ plan }) => plan);
    return plans.map((plan) => {
      const { query: id, statement } = plan;
      const answered = byPlan.get(plan) ?? [];
      const tasks = answered.map(({ task, status = null }) => ({ task, status }));
      // A pause counts as soon as it is in the catalog, as all statements do.
      if (this.#entries.isPaused(id)) return { id, statement, state: 'PAUSED', tasks };
      const isError = tasks.some(({ status }) => status?.state === 'ERROR');
      if (isError) return { id, statement, state: 'ERROR', tasks };
      const isKnown = answered.every(({ status }) => status !== undefined);
      return { id, statement, state: isKnown ? 'RUNNING' : 'UNRESPONSIVE', tasks };
    });
  }

  #look(tenant: string): Look {
    return {
      clock: wallClock,
      catalog: () => this.#entries.catalog,
      plan: (query) => this.#entries.plan(query),
      progress: async (name) => {
        const metrics = await unwrap(processorAt(this.env, tenant, taskId(name)).metrics());
        if (metrics === null) return null;
        const { inputs, state, outboxAppends } = metrics;
        const positions = inputs.map(({ at, position: next }) => ({ at, next }));
        return { state, positions, isDelivered: outboxAppends === 0 };
      },
      highWatermark: async (at) =>
        (await unwrap(partitionAt(this.env, tenant, at).bounds())).highWatermark,
    };
  }

  async #standings(tenant: string): Promise<ReadonlyMap<string, Standing>> {
    const queries = await this.#queries(tenant);
    return new Map(
      queries.map(({ id, state, tasks }) => {
        const errors = tasks.flatMap(({ status }) => status?.error ?? []);
        return [id, { state, error: errors[0] ?? null }];
      }),
    );
  }

  /** Repeats what was not acknowledged and wakes every task. Never throws: a throwing alarm is lost in the end. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      const done = await this.#effects.flush();
      if (!done) this.#alarm.arm(Date.now() + EFFECT_RETRY_MS);
      if (!this.#hasTasks) return;
      const isWhole = await this.#sweep();
      this.#alarm.arm(Date.now() + (isWhole ? SWEEP_MS : SWEEP_ON_MS));
    } catch (thrown) {
      log('error', 'catalog-alarm', { thrown });
      this.#alarm.arm(Date.now() + EFFECT_RETRY_MS);
    }
  }

  get #hasTasks(): boolean {
    return this.#entries.plans.length > 0;
  }

  /** A task that slipped through everything else is found here. @returns false: others follow */
  async #sweep(): Promise<boolean> {
    const { tenant } = this.#topics;
    if (tenant === null) return true;
    const running = this.#entries.plans.filter(({ query }) => !this.#entries.isPaused(query));
    const tasks = running.flatMap((plan) =>
      tasksOf(plan).flatMap((name) => {
        const [at] = inputsOf(subtopologyOf(plan, name.subtopology), name.partition);
        return at === undefined ? [] : [{ task: taskId(name), at }];
      }),
    );
    // One that does not answer is woken again by the next sweep.
    await inLanes(this.#swept.part(tasks), ({ task, at }) =>
      settleAsync(() => unwrap(processorAt(this.env, tenant, task).wake(at, 0, null))),
    );
    return this.#swept.isOver;
  }

  /** One transaction with its effects; the alarm that stands behind them is armed in the same turn. */
  #commit<T extends { readonly effects: readonly CatalogEffect[] }>(body: () => T): T {
    const made = this.ctx.storage.transactionSync(() => {
      const result = body();
      this.#effects.add(result.effects.map((effect) => [targetOf(effect), effect]));
      return result;
    });
    this.#alarm.arm(Date.now() + EFFECT_RETRY_MS);
    return made;
  }

  async #insert(tenant: string, analysis: InsertValuesAnalysis): Promise<void> {
    const { source, rowtime } = analysis;
    checkWritable(source);
    const describe = (topic: string) => this.#topics.describe(topic);
    const log = new RemoteLog({ env: this.env, tenant, describe });
    const spare = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    const record = recordOf(source, analysis, FORMATS);
    const timestamp = rowtime ?? undefined;
    await this.#effects.flush();
    await produce(log, wallClock, { topic: source.topic, spare }, [{ ...record, timestamp }]);
  }
}
