// The edge as it is deployed, with failpoints (binding FAILPOINTS) and, on demand, one fault in its protocol (binding MUTANT).

import {
  Catalog as DeployedCatalog,
  createEdge,
  Partition as DeployedPartition,
  Processor as DeployedProcessor,
} from '../../../edge/index.ts';
import type { SqliteStore } from '../../../edge/adapters/sqlite-store.ts';
import type { EdgeEnv } from '../../../edge/env.ts';
import type { Arrival, KnownProducer, Verdict } from '../../../runtime/ports/producers.ts';
import { FailingStore } from './failing-store.ts';
import { misjudged, STORES } from './mutants.ts';
import { around, dying, isTask, type TortureEnv, watchedEnv, watched } from './points.ts';

export { Relay } from '../../../edge/index.ts';
export default createEdge();

/** So long after a wake-up that was acknowledged a processor may die of it: what it does then takes about that long. */
const AFTER_WAKE_MS_MAX = 20;
/** A bound, so that rounds have one: the partition waits twice as long after each. */
const LOST_IN_A_ROW_MAX = 2;
/** By processor, whichever of its instances: one that dies would begin to count anew. */
const lostInARow = new Map<string, number>();

const mutantOf = (env: EdgeEnv): string | null => (env as TortureEnv).MUTANT ?? null;

export class Processor extends DeployedProcessor {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    const die = dying(ctx, env);
    super(watched(ctx, 'Processor', env, die), watchedEnv(env, 'Processor', die));
  }

  protected override createStore(storage: DurableObjectStorage): SqliteStore {
    const Mutant = STORES[mutantOf(this.env) ?? ''] ?? FailingStore;
    return new Mutant(storage, dying(this.ctx, this.env));
  }

  override async start(...args: Parameters<DeployedProcessor['start']>) {
    return around(this, 'Processor.start', () => super.start(...args));
  }

  /** As many wake-ups are lost as the binding LOST_WAKES says. */
  override async wake(...args: Parameters<DeployedProcessor['wake']>) {
    const share = Number((this.env as TortureEnv).LOST_WAKES ?? 0);
    const id = this.ctx.id.toString();
    const lost = lostInARow.get(id) ?? 0;
    if (lost < LOST_IN_A_ROW_MAX && Math.random() < share) {
      lostInARow.set(id, lost + 1);
      throw new Error('this wake-up is lost');
    }
    lostInARow.set(id, 0);
    const answer = await around(this, 'Processor.wake', () => super.wake(...args));
    // Whoever sent the wake-up has its answer by then and does not repeat it.
    const soon = scheduler.wait(Math.random() * AFTER_WAKE_MS_MAX);
    const die = dying(this.ctx, this.env);
    this.ctx.waitUntil(soon.then(() => die('Processor/after a wake-up')));
    return answer;
  }

  override async pull(...args: Parameters<DeployedProcessor['pull']>) {
    return around(this, 'Processor.pull', () => super.pull(...args));
  }

  override async alarm(): Promise<void> {
    return around(this, 'Processor.alarm', () => super.alarm());
  }
}

export class Partition extends DeployedPartition {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    const die = dying(ctx, env);
    super(watched(ctx, 'Partition', env, die), watchedEnv(env, 'Partition', die));
  }

  protected override judged(known: KnownProducer | null, arrival: Arrival): Verdict {
    const verdict = super.judged(known, arrival);
    if (verdict.kind === 'repeat' && isTask(arrival.stamp)) console.log('REPEAT');
    dying(this.ctx, this.env)('Partition/producer judged, batch not appended');
    return misjudged(mutantOf(this.env), verdict, arrival.stamp);
  }

  override async open(...args: Parameters<DeployedPartition['open']>) {
    return around(this, 'Partition.open', () => super.open(...args));
  }

  override async append(...args: Parameters<DeployedPartition['append']>) {
    if (mutantOf(this.env) === 'early-answer' && args[1] !== null && !isTask(args[1])) {
      return this.#answeredEarly(...args);
    }
    return around(this, 'Partition.append', () => super.append(...args));
  }

  override async appendAll(...[appends]: Parameters<DeployedPartition['appendAll']>) {
    if (mutantOf(this.env) === 'early-answer') {
      return Promise.all(appends.map((one) => this.append(one.bytes, one.stamp, one.incarnation)));
    }
    return around(this, 'Partition.appendAll', () => super.appendAll(appends));
  }

  /** A mutant: acknowledges what it has not appended yet. */
  async #answeredEarly(...args: Parameters<DeployedPartition['append']>) {
    const bounds = await this.bounds();
    if (!bounds.ok) return bounds;
    const { highWatermark, incarnation } = bounds.value;
    this.ctx.waitUntil(scheduler.wait(2).then(() => super.append(...args)));
    const count = new DataView(args[0].buffer, args[0].byteOffset).getUint32(12, true);
    const value = { base: highWatermark, count, duplicate: false, highWatermark, incarnation };
    return { ok: true as const, value };
  }

  override async read(...args: Parameters<DeployedPartition['read']>) {
    return around(this, 'Partition.read', () => super.read(...args));
  }

  override async fetch(...args: Parameters<DeployedPartition['fetch']>) {
    return around(this, 'Partition.fetch', () => super.fetch(...args));
  }

  override async trim(...args: Parameters<DeployedPartition['trim']>) {
    return around(this, 'Partition.trim', () => super.trim(...args));
  }

  override async subscribe(...args: Parameters<DeployedPartition['subscribe']>) {
    return around(this, 'Partition.subscribe', () => super.subscribe(...args));
  }

  override async alarm(): Promise<void> {
    return around(this, 'Partition.alarm', () => super.alarm());
  }
}

export class Catalog extends DeployedCatalog {
  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    const die = dying(ctx, env);
    super(watched(ctx, 'Catalog', env, die), watchedEnv(env, 'Catalog', die));
  }

  override async execute(...args: Parameters<DeployedCatalog['execute']>) {
    return around(this, 'Catalog.execute', () => super.execute(...args));
  }

  override async topic(...args: Parameters<DeployedCatalog['topic']>) {
    return around(this, 'Catalog.topic', () => super.topic(...args));
  }

  override async alarm(): Promise<void> {
    return around(this, 'Catalog.alarm', () => super.alarm());
  }
}
