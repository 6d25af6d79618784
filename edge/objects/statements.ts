// Statements of a catalog, one after the other: analysis, change, answer; every change is one transaction with its effects. Calls nobody.

import type {
  AnalyzeOptions,
  CreateSourceAnalysis,
  InsertValuesAnalysis,
  QueryAnalysis,
} from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { StatementError } from '../../runtime/base/errors.ts';
import { TIMESTAMP_AFTER_MS_MAX } from '../../runtime/base/limits.ts';
import { chance } from '../../runtime/engine/chance.ts';
import type { Look } from '../../runtime/engine/caught-up.ts';
import type { CatalogChange } from '../../runtime/engine/changes.ts';
import { currentStatus, type Entity, type Standing } from '../../runtime/engine/entities.ts';
import { internalTopic } from '../../runtime/engine/system.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planSourceTable } from '../../runtime/plan/source-table.ts';
import { planUpgrade } from '../../runtime/plan/upgrade.ts';
import type { TopicSpec } from '../../runtime/ports/log.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../../runtime/task/task-topics.ts';
import { registry } from '../registry.ts';
import { type CatalogEffect, started } from './catalog-effects.ts';
import { control } from './control.ts';
import type { EntryTables } from './entry-tables.ts';
import type { MigrationRun } from './migrations.ts';
import { type Script, sessionProperties } from './prepare.ts';
import type { TopicTables } from './topic-tables.ts';

/** What statements work on. */
export interface StatementsOptions {
  readonly tenant: string;
  readonly entries: EntryTables;
  readonly topics: TopicTables;
  /** Runs the body in one transaction and sends its effects once that has succeeded. */
  readonly commit: (body: () => { readonly effects: readonly CatalogEffect[] }) => void;
  /** Appends the record of INSERT VALUES. */
  readonly insert: (analysis: InsertValuesAnalysis) => Promise<void>;
  /** Which statements are passed over, and what is noted of the others; absent: none, nothing. */
  readonly run?: MigrationRun | undefined;
  /** How far tasks have come. */
  readonly look: Look;
  /** How the queries stand, by id. */
  readonly standings: () => Promise<ReadonlyMap<string, Standing>>;
}

/** What a script came to: the entities of the statements that were done, and where it stopped. */
export interface ScriptOutcome {
  readonly entities: readonly Entity[];
  readonly failed: {
    readonly text: string;
    readonly thrown: unknown;
    /** true: the statement belongs to the query routes. */
    readonly isQuery: boolean;
  } | null;
}

const SYSTEM_TOPICS: readonly TopicSpec[] = [
  internalTopic(PROCESSING_LOG_TOPIC),
  internalTopic(DEAD_LETTERS_TOPIC),
];

/** Runs a script. A text that does not parse is refused as a whole; else statements are done until one fails. */
export async function execute(script: Script, options: StatementsOptions): Promise<ScriptOutcome> {
  const entities: Entity[] = [];
  let text = script.sql;
  try {
    const properties = sessionProperties(options.entries, script);
    const statements = new Statements(options, properties, new Map(script.variables));
    for (const statement of parse(script.sql, script.variables)) {
      text = statement.text;
      if (statement.kind === 'Select' || statement.kind === 'Print') {
        return { entities, failed: { text, thrown: misplaced(statement), isQuery: true } };
      }
      if (options.run?.isDone(statement) === true) continue;
      const answer = await statements.run(statement);
      options.run?.note();
      if (answer !== null) entities.push(answer);
    }
  } catch (thrown) {
    return { entities, failed: { text, thrown, isQuery: false } };
  }
  return { entities, failed: null };
}

/** What statements are analyzed against now. */
export function analyzeOptions(
  { entries, topics }: Pick<StatementsOptions, 'entries' | 'topics'>,
  properties: ReadonlyMap<string, string>,
  queryNumber: number,
): AnalyzeOptions {
  const now = Date.now();
  return {
    catalog: entries.catalog,
    registry,
    formats: FORMATS,
    properties,
    queryNumber,
    callContext: { now, random: chance },
    topics: new Map(topics.list().map((topic) => [topic.name, topic])),
  };
}

/** The statements of one request; analysis, planning and commit of each are one synchronous turn. */
class Statements {
  readonly #options: StatementsOptions;
  readonly #properties: Map<string, string>;
  readonly #variables: Map<string, string>;

  constructor(
    options: StatementsOptions,
    properties: Map<string, string>,
    variables: Map<string, string>,
  ) {
    this.#options = options;
    this.#properties = properties;
    this.#variables = variables;
  }

  async run(statement: Statement): Promise<Entity | null> {
    const { text } = statement;
    const { entries } = this.#options;
    const number = entries.number + 1;
    const analysis = analyzeStatement(
      statement,
      analyzeOptions(this.#options, this.#properties, number),
    );
    switch (analysis.kind) {
      case 'createSource':
        return this.#createSource(text, analysis);
      case 'query':
        return this.#createQuery(statement, analysis);
      case 'pull':
        throw misplaced(statement);
      case 'insertValues':
        await this.#options.insert(analysis);
        return null;
      default:
        return control(text, analysis, {
          ...this.#options,
          properties: this.#properties,
          variables: this.#variables,
          changed: (by, change, effects) => this.#changed(by, change, effects),
        });
    }
  }

  #createSource(text: string, { source, topic, warnings, query }: CreateSourceAnalysis): Entity {
    const spec = { ...topic, timestampAfterMaxMs: TIMESTAMP_AFTER_MS_MAX, internal: false };
    const plan =
      query === null
        ? null
        : planSourceTable(source, query, planningOptions(this.#properties, true));
    const change: CatalogChange =
      query === null || plan === null
        ? { change: 'source', source }
        : { change: 'query', query, source, plan };
    const { tenant } = this.#options;
    const sequence = this.#changed(text, change, (planned) => [
      ...this.#opened([spec]),
      ...(plan === null ? [] : started(tenant, plan, { planned, paused: false })),
    ]);
    const commandId = `${source.kind}/${source.name}/create`;
    const message = `${source.kind === 'stream' ? 'Stream' : 'Table'} ${source.name} created`;
    const queryId = query?.id ?? null;
    return currentStatus(text, { commandId, message, queryId, sequence }, warnings);
  }

  #createQuery(statement: Statement, analysis: QueryAnalysis): Entity {
    const { query, sink, creates, retentionMs, compacted, warnings, mode } = analysis;
    if (mode !== 'persistent' || query === null || sink === null) throw misplaced(statement);
    const { entries, tenant } = this.#options;
    const old = entries.plan(query.id);
    const planning = planningOptions(this.#properties, true);
    const plan =
      old === null
        ? planQuery(analysis, planning)
        : planUpgrade(analysis, planning, { old, at: statement.at });
    const { topic: name, partitions } = sink;
    const specs: TopicSpec[] = [
      ...plan.internalTopics.map((topic) => internalTopic(topic.name, topic.partitions)),
      { name, partitions, retentionMs, compacted, internal: false },
    ];
    const change: CatalogChange = { change: 'query', query, source: creates ? sink : null, plan };
    const sequence = this.#changed(statement.text, change, (planned) => [
      ...this.#opened(specs),
      ...started(tenant, plan, { planned, paused: query.paused === true }),
    ]);
    const commandId = `${sink.kind}/${sink.name}/create`;
    const message = `${old === null ? 'Created' : 'Upgraded'} query with ID ${query.id}`;
    const status = { commandId, message, queryId: query.id, sequence };
    return currentStatus(statement.text, status, warnings);
  }

  /** Adds the change and what it asks of other objects, all or nothing. @returns the statement's number */
  #changed(
    text: string,
    change: CatalogChange,
    effects: (sequence: number) => readonly CatalogEffect[],
  ): number {
    const { entries, topics, commit } = this.#options;
    return entries.add(text, change, (write, sequence) =>
      commit(() => {
        write();
        topics.changed();
        return { effects: effects(sequence) };
      }),
    );
  }

  /** Makes those topics that do not exist, and the ones that every tenant has. */
  #opened(specs: readonly TopicSpec[]): CatalogEffect[] {
    const { topics, tenant } = this.#options;
    return [...SYSTEM_TOPICS, ...specs].flatMap((spec) =>
      topics.describe(spec.name) === null ? topics.create(tenant, spec).effects : [],
    );
  }
}

function misplaced(statement: Statement): StatementError {
  const what = statement.kind === 'Print' ? 'PRINT' : 'a SELECT';
  const hint = 'Send it to /query or /query-stream.';
  return new StatementError('INVALID', `${what} is a query, not a statement`, statement.at, hint);
}
