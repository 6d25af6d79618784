// A catalog that statements change one after another, for tests of analysis and planning; knows no engine.
import type {
  Analysis,
  AnalyzeOptions,
  PullAnalysis,
  QueryAnalysis,
} from '../../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../../runtime/analyze/analyze.ts';
import { checkedProperties } from '../../../runtime/analyze/session-properties.ts';
import { StatementError } from '../../../runtime/base/errors.ts';
import { Catalog } from '../../../runtime/catalog/catalog.ts';
import { withoutSource, withType } from '../../../runtime/catalog/rare-changes.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import type { CallContext } from '../../../runtime/functions/registry.ts';
import { planningOptions } from '../../../runtime/plan/lower.ts';
import { planQuery } from '../../../runtime/plan/planner.ts';
import { planPull, type PullPlan } from '../../../runtime/plan/pull.ts';
import type { Plan } from '../../../runtime/plan/step.ts';
import { planUpgrade } from '../../../runtime/plan/upgrade.ts';
import { parse } from '../../../runtime/sql/parser.ts';

const registry = builtinRegistry();

/** Runs DDL against a catalog and plans queries, as an engine would. */
export class Session {
  catalog = Catalog.empty;
  readonly properties: Map<string, string>;
  readonly kernelAvailable: boolean;
  callContext: CallContext | undefined;
  readonly plans = new Map<string, Plan>();
  #queryNumber = 0;

  constructor(properties: Readonly<Record<string, string>> = {}, kernelAvailable = true) {
    this.properties = checkedProperties(Object.entries(properties));
    this.kernelAvailable = kernelAvailable;
  }

  get options(): AnalyzeOptions {
    return {
      catalog: this.catalog,
      registry,
      formats: FORMATS,
      properties: this.properties,
      queryNumber: this.#queryNumber,
      callContext: this.callContext,
    };
  }

  /** Analyzes each statement and applies it to the catalog; returns the last analysis. */
  run(sql: string): Analysis {
    let last: Analysis | null = null;
    for (const statement of parse(sql)) {
      last = analyzeStatement(statement, this.options);
      this.#apply(last);
    }
    if (last === null) throw new Error('no statement');
    return last;
  }

  #apply(analysis: Analysis): void {
    if (analysis.kind === 'createSource') this.catalog = this.catalog.withSource(analysis.source);
    if (analysis.kind === 'createType')
      this.catalog = withType(this.catalog, analysis.name, analysis.type);
    if (analysis.kind === 'dropSource')
      this.catalog = withoutSource(this.catalog, analysis.source.name);
    if (analysis.kind !== 'query') return;
    this.plans.set(analysis.id, this.#planned(analysis));
    if (analysis.query === null || analysis.sink === null) return;
    if (analysis.creates) this.catalog = this.catalog.withSource(analysis.sink);
    this.catalog = this.catalog.withQuery(analysis.query);
    this.#queryNumber++;
  }

  #planned(analysis: QueryAnalysis): Plan {
    const options = planningOptions(this.properties, this.kernelAvailable);
    const old = this.plans.get(analysis.id);
    if (old === undefined) return planQuery(analysis, options);
    return planUpgrade(analysis, options, { old, at: null });
  }

  /** The plan of the last statement, which is a query. */
  plan(sql: string): Plan {
    const analysis = this.run(sql);
    const plan = analysis.kind === 'query' ? this.plans.get(analysis.id) : undefined;
    if (plan === undefined) throw new Error('the last statement is no query');
    return plan;
  }

  /** The plan of the last statement, which is a pull query. */
  pull(sql: string): PullPlan {
    const analysis = this.run(sql);
    if (analysis.kind !== 'pull') throw new Error('the last statement is no pull query');
    return planPull(analysis, this.#writer(analysis));
  }

  #writer(analysis: PullAnalysis): Plan {
    const plan = this.plans.get(analysis.source.query ?? '');
    if (plan === undefined) throw new Error('no plan writes it');
    return plan;
  }

  /** The error that the last statement is refused with: `CODE line:column message`. */
  refusal(sql: string): string {
    try {
      this.run(sql);
    } catch (thrown) {
      if (thrown instanceof StatementError) return `${thrown.code} ${thrown.message}`;
      throw thrown;
    }
    throw new Error('nothing was refused');
  }
}
