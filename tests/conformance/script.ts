// Runs a case's statements against a catalog and plans its queries, without a host; knows no inputs and no outputs.

import type { Analysis, AnalyzeOptions, QueryAnalysis } from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { Catalog, type PersistentQuery } from '../../runtime/catalog/catalog.ts';
import {
  withoutQuery,
  withoutSource,
  withoutType,
  withType,
} from '../../runtime/catalog/rare-changes.ts';
import { readProperties } from '../../runtime/catalog/properties.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planSourceTable } from '../../runtime/plan/source-table.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { planUpgrade } from '../../runtime/plan/upgrade.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import type { Case } from './case.ts';
import type { RunOptions } from './run-case.ts';
import { TEST_FUNCTIONS } from './test-functions.ts';

/** The built-in functions and those of the cases. */
export const REGISTRY = builtinRegistry(TEST_FUNCTIONS);

/** Partitions of a topic that nobody has given a number. */
const PARTITIONS_DEFAULT = 4;

type Topics = ReadonlyMap<string, { readonly partitions: number }>;

/** A record that INSERT VALUES writes. */
export interface Inserted {
  readonly source: Source;
  readonly analysis: Analysis & { readonly kind: 'insertValues' };
}

/** What a script has made. */
export interface Script {
  readonly catalog: Catalog;
  /** In the order of their creation. */
  readonly plans: readonly Plan[];
  readonly inserted: readonly Inserted[];
}

/** A statement was refused; `isLast` tells whether others were to follow. */
export class Refusal extends Error {
  readonly error: StatementError;
  readonly isLast: boolean;
  constructor(error: StatementError, isLast: boolean) {
    super(error.message, { cause: error });
    this.error = error;
    this.isLast = isLast;
  }
}

/**
 * All statements as one text, then one by one.
 * @param properties settings beside the case's own
 * @throws {Refusal} for the first statement that is refused
 */
export function runScript(of: Case, properties: ReadonlyMap<string, string>): Script {
  const statements = parsed(of.statements.join('\n'));
  const session = new Session(
    new Map([['auto.offset.reset', 'earliest'], ...of.properties, ...properties]),
    topicsOf(of, statements, [...of.inputs, ...of.outputs]),
  );
  statements.forEach((statement, index) => {
    try {
      session.run(statement);
    } catch (thrown) {
      if (!(thrown instanceof StatementError)) throw thrown;
      throw new Refusal(thrown, index === statements.length - 1);
    }
  });
  return session.script();
}

/** @throws {Refusal} */
export function parsed(sql: string): readonly Statement[] {
  try {
    return parse(sql);
  } catch (thrown) {
    if (!(thrown instanceof StatementError)) throw thrown;
    throw new Refusal(thrown, true);
  }
}

/** A catalog and what statements make of it, one after the other. */
export class Session {
  #catalog = Catalog.empty;
  readonly #properties: Map<string, string>;
  readonly #topics: Topics | undefined;
  readonly #plans = new Map<string, Plan>();
  readonly #inserted: Inserted[] = [];
  #queryNumber = 0;

  /** @param topics those that are there; absent: each that a statement names */
  constructor(properties: Map<string, string>, topics?: Topics) {
    this.#properties = properties;
    this.#topics = topics;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** The plan that runs under that id. */
  plan(id: string): Plan | undefined {
    return this.#plans.get(id);
  }

  script(): Script {
    return { catalog: this.#catalog, plans: [...this.#plans.values()], inserted: this.#inserted };
  }

  /** What statements are analyzed against now. */
  get options(): AnalyzeOptions {
    return {
      catalog: this.#catalog,
      registry: REGISTRY,
      formats: FORMATS,
      properties: this.#properties,
      queryNumber: this.#queryNumber,
      callContext: { now: 0, random: () => 0 },
      topics: this.#topics,
    };
  }

  /** @throws {StatementError}: nothing has changed */
  run(statement: Statement): Analysis {
    const analysis = analyzeStatement(statement, this.options);
    this.#apply(analysis);
    return analysis;
  }

  #apply(analysis: Analysis): void {
    switch (analysis.kind) {
      case 'createSource':
        this.#catalog = this.#catalog.withSource(analysis.source);
        if (analysis.query !== null) {
          this.#add(
            analysis.query,
            planSourceTable(
              analysis.source,
              analysis.query,
              planningOptions(this.#properties, true),
            ),
          );
        }
        return;
      case 'alterSource':
        this.#catalog = this.#catalog.withSource(analysis.source);
        return;
      case 'createType':
        this.#catalog = withType(this.#catalog, analysis.name, analysis.type);
        return;
      case 'dropType':
        this.#catalog = withoutType(this.#catalog, analysis.name);
        return;
      case 'dropSource':
        this.#catalog = withoutSource(this.#catalog, analysis.source.name);
        this.#plans.delete(analysis.terminates ?? '');
        return;
      case 'terminate':
        for (const id of analysis.queries) {
          this.#catalog = withoutQuery(this.#catalog, id);
          this.#plans.delete(id);
        }
        return;
      case 'set':
        if (analysis.value === null) this.#properties.delete(analysis.property);
        else this.#properties.set(analysis.property, analysis.value);
        return;
      case 'insertValues':
        this.#inserted.push({ source: analysis.source, analysis });
        return;
      case 'query':
        this.#addQuery(analysis);
        return;
      default:
        // The others change nothing.
        return;
    }
  }

  #addQuery(analysis: QueryAnalysis): void {
    const planning = planningOptions(this.#properties, true);
    const old = this.#plans.get(analysis.id);
    const plan =
      old === undefined
        ? planQuery(analysis, planning)
        : planUpgrade(analysis, planning, { old, at: null });
    if (analysis.query === null || analysis.sink === null) return;
    if (analysis.creates) this.#catalog = this.#catalog.withSource(analysis.sink);
    this.#add(analysis.query, plan);
  }

  #add(query: PersistentQuery, plan: Plan): void {
    if (!this.#plans.has(query.id)) this.#queryNumber += 1;
    // A plan is plain JSON: what is run is what would have been stored.
    this.#plans.set(query.id, JSON.parse(JSON.stringify(plan)) as Plan);
    this.#catalog = this.#catalog.withQuery(query);
  }
}

/** The stream or table over a topic. @throws {PortError} UNKNOWN_TOPIC */
export function sourceOver(catalog: Catalog, topic: string): Source {
  for (const source of catalog.sources.values()) if (source.topic === topic) return source;
  throw new PortError('UNKNOWN_TOPIC', `no stream or table is over the topic ${topic}`);
}

/** What is meant for ksqlDB's runner, and the one property of Kafka Streams that a case sets to what holds anyway. */
const RUNNERS: ReadonlySet<string> = new Set([
  'use.exact.numeric.comparison',
  'ksql.streams.default.timestamp.extractor',
]);

/** What the statements of a case are sent with, where an engine runs them. */
export function propertiesOf(
  { properties }: Case,
  { path, fuse }: Pick<RunOptions, 'path' | 'fuse'>,
): Readonly<Record<string, string>> {
  return {
    'auto.offset.reset': 'earliest',
    ...Object.fromEntries([...properties].filter(([name]) => !RUNNERS.has(name))),
    'millrace.path': path,
    'millrace.fuse': fuse,
  };
}

/**
 * The topics that are there before the statements run, with their partitions: the case's, its sources', those of its records.
 * @param records those whose topics are there although no statement makes them
 * @param partitionsDefault of a topic that nobody has given a number
 */
export function topicsOf(
  of: Case,
  statements: readonly Statement[],
  records: readonly { readonly topic: string }[],
  partitionsDefault = PARTITIONS_DEFAULT,
): Topics {
  const topics = new Map<string, { readonly partitions: number }>();
  const add = (name: string, partitions: number): void => {
    if (!topics.has(name)) topics.set(name, { partitions });
  };
  for (const [name, partitions] of of.topics) add(name, partitions);
  for (const statement of statements) {
    const declared = declaredTopic(statement, partitionsDefault);
    if (declared !== null) add(declared.name, declared.partitions);
  }
  for (const { topic } of records) add(topic, partitionsDefault);
  return topics;
}

function declaredTopic(
  statement: Statement,
  partitionsDefault: number,
): { name: string; partitions: number } | null {
  if (statement.kind !== 'CreateSource' || statement.columns === null) return null;
  try {
    const { topic, partitions } = readProperties(statement.properties, 'create');
    if (topic === null) return null;
    return { name: topic.value, partitions: partitions?.value ?? partitionsDefault };
  } catch (thrown) {
    // The statement itself says so when it is run.
    if (thrown instanceof StatementError) return null;
    throw thrown;
  }
}
