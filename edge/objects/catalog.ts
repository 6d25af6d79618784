// A tenant's catalog as an object: topics and statements, and the calls that bring other objects in line; one object a tenant.

import { DurableObject } from 'cloudflare:workers';
import { messageOf } from '../../runtime/base/errors.ts';
import type { TopicDescription, TopicSpec } from '../../runtime/ports/log.ts';
import { type CatalogPort, type EdgeEnv, partitionAt } from '../env.ts';
import { partitionName } from '../names.ts';
import { settle, settleAsync, unwrap, type Wire } from '../wire.ts';
import { Effects } from './effects.ts';
import { type PartitionEffect, TopicTables } from './topic-tables.ts';

/** How soon the alarm repeats calls that were not acknowledged. */
const EFFECT_RETRY_MS = 1_000;

export class Catalog extends DurableObject<EdgeEnv> implements CatalogPort {
  readonly #topics: TopicTables;
  readonly #effects: Effects;
  #alarmMs: number | null = null;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#topics = new TopicTables(ctx.storage.sql);
    this.#effects = new Effects(ctx.storage.sql, (call) => this.#send(call as PartitionEffect));
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmMs = await ctx.storage.getAlarm();
      if (this.#effects.pending > 0) this.#arm(Date.now());
    });
  }

  async createTopic(tenant: string, spec: TopicSpec): Promise<Wire<TopicDescription>> {
    return settleAsync(async () => {
      const salt = crypto.randomUUID().slice(0, 8);
      const topic = this.ctx.storage.transactionSync(() => {
        const made = this.#topics.create(tenant, spec, salt);
        this.#effects.add(made.effects.map((effect) => [targetOf(effect), effect]));
        return made.topic;
      });
      await this.#bringInLine();
      return topic;
    });
  }

  async removeTopic(topic: string): Promise<Wire<null>> {
    return settleAsync(async () => {
      this.ctx.storage.transactionSync(() => {
        const effects = this.#topics.remove(topic);
        this.#effects.add(effects.map((effect) => [targetOf(effect), effect]));
      });
      await this.#bringInLine();
      return null;
    });
  }

  async topics(): Promise<Wire<readonly TopicDescription[]>> {
    return settle(() => this.#topics.list());
  }

  async topic(name: string): Promise<Wire<TopicDescription | null>> {
    return settle(() => this.#topics.describe(name));
  }

  /** Repeats what was not acknowledged. Never throws: a throwing alarm is lost in the end. */
  override async alarm(): Promise<void> {
    this.#alarmMs = null;
    try {
      if (!(await this.#effects.flush())) this.#arm(Date.now() + EFFECT_RETRY_MS);
    } catch (thrown) {
      console.error(`catalog alarm: ${messageOf(thrown)}`);
      this.#arm(Date.now() + EFFECT_RETRY_MS);
    }
  }

  /** Arms the alarm in the turn of the change, then tries at once; what fails is left to the alarm. */
  async #bringInLine(): Promise<void> {
    this.#arm(Date.now() + EFFECT_RETRY_MS);
    await this.#effects.flush();
  }

  #arm(atMs: number): void {
    if (this.#alarmMs !== null && this.#alarmMs <= atMs) return;
    this.#alarmMs = atMs;
    void this.ctx.storage.setAlarm(atMs);
  }

  async #send(call: PartitionEffect): Promise<void> {
    switch (call.effect) {
      case 'open':
        await unwrap(partitionAt(this.env, call.spec.tenant, call.spec.at).open(call.spec));
        return;
      case 'close': {
        const { tenant, topic, partition, generation } = call;
        await unwrap(partitionAt(this.env, tenant, { topic, partition }).close(generation));
        return;
      }
    }
  }
}

function targetOf(effect: PartitionEffect): string {
  return effect.effect === 'open'
    ? partitionName(effect.spec.tenant, effect.spec.at)
    : partitionName(effect.tenant, effect);
}
