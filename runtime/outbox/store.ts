// What an outbox keeps in IndexedDB: records in their order, the batch under way of each partition, and what was refused; sends nothing.

import { LimitError, PortError } from '../base/errors.ts';
import { CLIENT_OUTBOX_BYTES_MAX, CLIENT_OUTBOX_RECORDS_MAX } from '../base/limits.ts';
import { type Change, OutboxDatabase, type Turns } from './database.ts';
import {
  bytesOf,
  type KeptBatch,
  type KeptRecord,
  type OutboxTotals,
  placeOf,
  type RefusedRecord,
} from './kept.ts';

const NOTHING: OutboxTotals = { pending: 0, refused: 0, bytes: 0 };

/** A record whose sender waits until it is kept. */
interface Adding {
  readonly record: KeptRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class OutboxStore {
  readonly #database: OutboxDatabase;
  /** What waits for the transaction that is on its way to the disk. */
  #adding: Adding[] = [];
  #isAdding = false;
  /** Of this tab; another one's is greater when it has taken over. */
  #turn = 0;

  private constructor(database: OutboxDatabase) {
    this.#database = database;
  }

  /** @throws {PortError} UNAVAILABLE when it does not open */
  static async open(name: string): Promise<OutboxStore> {
    const database = new OutboxDatabase(name);
    await database.open();
    return new OutboxStore(database);
  }

  close(): void {
    this.#database.close();
  }

  async totals(): Promise<OutboxTotals> {
    return (await this.#database.look((look) => look.objectStore('totals').get('all'))) ?? NOTHING;
  }

  /**
   * Keeps a record; those that come while others are on their way to the disk go there together.
   * @throws {LimitError} CLIENT_OUTBOX_RECORDS_MAX, CLIENT_OUTBOX_BYTES_MAX
   * @throws {PortError} STORAGE_FULL; then nothing of what goes together is kept. UNAVAILABLE: the browser has closed the database meanwhile
   */
  add(record: KeptRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#adding.length >= CLIENT_OUTBOX_RECORDS_MAX) reject(tooMany());
      else this.#adding.push({ record, resolve, reject });
      if (!this.#isAdding) void this.#addAll();
    });
  }

  /** It never rejects: each record hears for itself. */
  async #addAll(): Promise<void> {
    this.#isAdding = true;
    // What is sent in the same turn goes along.
    await Promise.resolve();
    for (let group = this.#adding; group.length > 0; group = this.#adding) {
      this.#adding = [];
      try {
        const refusals = await this.#database.change((change) => kept(change, group));
        group.forEach(({ resolve, reject }, i) => {
          const refusal = refusals[i] ?? null;
          if (refusal === null) resolve();
          else reject(refusal);
        });
      } catch (thrown) {
        for (const { reject } of group) reject(thrown as Error);
      }
    }
    this.#isAdding = false;
  }

  /** Begins to send: whoever did before can neither begin nor settle a batch any more (FENCED). @returns the batches under way */
  takeTurn(): Promise<{ readonly batches: readonly KeptBatch[]; readonly spare: number }> {
    return this.#database.change(async (change) => {
      const turns = change.objectStore('turns');
      this.#turn = ((await turns.get('all')) ?? 0) + 1;
      const spare = (await turns.get('spare')) ?? Math.floor(Math.random() * 2 ** 31);
      await turns.put(this.#turn, 'all');
      await turns.put(spare, 'spare');
      return { batches: await change.objectStore('batches').getAll(), spare };
    });
  }

  /**
   * The oldest records from a number on with their numbers, up to a count and, but for the first, a number of bytes.
   * @throws {PortError} FENCED
   */
  oldest(from: number, recordsMax: number, bytesMax: number): Promise<[number, KeptRecord][]> {
    return this.#database.look(async (look) => {
      await this.#requireTurn(look.objectStore('turns'));
      const found: [number, KeptRecord][] = [];
      let bytes = 0;
      const records = look.objectStore('records');
      const range = IDBKeyRange.lowerBound(from);
      for (let at = await records.openCursor(range); at !== null; at = await at.continue()) {
        bytes += bytesOf(at.value);
        if (found.length > 0 && bytes > bytesMax) break;
        found.push([at.key, at.value]);
        if (found.length === recordsMax) break;
      }
      return found;
    });
  }

  /**
   * Notes batches before they are sent, each as the next of its partition's producer.
   * @param fresh the id of a producer that begins
   * @param idleMs a producer that was not used for so long may have been forgotten: another one begins
   * @throws {PortError} FENCED
   */
  begin(
    batches: readonly Omit<KeptBatch, 'producer' | 'sequence'>[],
    fresh: () => string,
    idleMs: number,
  ): Promise<KeptBatch[]> {
    if (batches.length === 0) return Promise.resolve([]);
    return this.#inTurn((change) =>
      Promise.all(
        batches.map(async (batch) => {
          const place = placeOf(batch);
          const usedMs = Date.now();
          const known = await change.objectStore('producers').get(place);
          const isKnown =
            known?.incarnation === batch.incarnation && Math.abs(usedMs - known.usedMs) < idleMs;
          const { id, next } = isKnown ? known : { id: fresh(), next: 0 };
          const { incarnation } = batch;
          const producer = { incarnation, id, next: next + batch.records.length, usedMs };
          const begun = { ...batch, producer: id, sequence: next };
          await change.objectStore('producers').put(producer, place);
          await change.objectStore('batches').put(begun, place);
          return begun;
        }),
      ),
    );
  }

  /** The same batch goes on under another incarnation, or as the first of another producer. */
  async renew(batch: KeptBatch, to: Partial<KeptBatch>): Promise<KeptBatch> {
    const renewed = { ...batch, ...to };
    const { incarnation, producer: id, sequence, records } = renewed;
    await this.#inTurn(async (change) => {
      const producer = { incarnation, id, next: sequence + records.length, usedMs: Date.now() };
      await change.objectStore('producers').put(producer, placeOf(batch));
      await change.objectStore('batches').put(renewed, placeOf(batch));
    });
    return renewed;
  }

  /** The edge has it: its records go. */
  acknowledged(batch: KeptBatch): Promise<void> {
    return this.#inTurn(async (change) => {
      await change.objectStore('batches').delete(placeOf(batch));
      await Promise.all(
        batch.records.map((number) => change.objectStore('records').delete(number)),
      );
      await added(change, { pending: -batch.records.length, bytes: -batch.weight });
    });
  }

  /** It is certain that the edge has it not: its records are to be sent as if they never had been. */
  released(batch: KeptBatch): Promise<void> {
    return this.#inTurn(async (change) => {
      await change.objectStore('batches').delete(placeOf(batch));
      await change.objectStore('producers').delete(placeOf(batch));
    });
  }

  /** Puts records aside, with their batch if they are in one. */
  refuse(
    numbers: readonly number[],
    batch: KeptBatch | null,
    reason: Pick<RefusedRecord, 'code' | 'message' | 'mayBeThere'>,
  ): Promise<void> {
    return this.#inTurn(async (change) => {
      if (batch !== null) {
        await change.objectStore('batches').delete(placeOf(batch));
        await change.objectStore('producers').delete(placeOf(batch));
      }
      for (const record of await withdrawn(change, numbers)) {
        await change.objectStore('refused').add({ ...record[1], ...reason }, record[0]);
        await added(change, { refused: 1, bytes: bytesOf(record[1]) });
      }
    });
  }

  refused(): Promise<RefusedRecord[]> {
    return this.#database.look(async (look) => {
      const store = look.objectStore('refused');
      const [ids, records] = await Promise.all([store.getAllKeys(), store.getAll()]);
      return records.map((record, i) => ({ id: ids[i] as number, ...record }));
    });
  }

  /** Forgets a refused record, or has it sent behind all others. false: there is none of that number. */
  settle(id: number, isRetried: boolean): Promise<boolean> {
    return this.#database.change(async (change) => {
      const refused = await change.objectStore('refused').get(id);
      if (refused === undefined) return false;
      await change.objectStore('refused').delete(id);
      const { topic, partition, key, value, timestamp, headers } = refused;
      const record = { topic, partition, key, value, timestamp, headers };
      const bytes = isRetried ? 0 : -bytesOf(record);
      await added(change, { pending: isRetried ? 1 : 0, refused: -1, bytes });
      if (isRetried) await change.objectStore('records').add(record);
      return true;
    });
  }

  /** A change that is whose turn it is alone. @throws {PortError} FENCED when another tab has taken over */
  #inTurn<T>(work: (change: Change) => Promise<T>): Promise<T> {
    return this.#database.change(async (change) => {
      await this.#requireTurn(change.objectStore('turns'));
      return work(change);
    });
  }

  /** Where all was cleared it is nobody's. */
  async #requireTurn(turns: Turns): Promise<void> {
    if ((await turns.get('all')) !== this.#turn)
      throw new PortError('FENCED', 'another tab sends what this outbox keeps');
  }
}

function tooMany(): LimitError {
  const message = `an outbox keeps ${CLIENT_OUTBOX_RECORDS_MAX} records, and has as many`;
  return new LimitError('CLIENT_OUTBOX_RECORDS_MAX', message);
}

/** Keeps as many of them as it may, in their order; for each why it is not kept, or null. */
async function kept(change: Change, group: readonly Adding[]): Promise<(LimitError | null)[]> {
  const { refused, ...before } = (await change.objectStore('totals').get('all')) ?? NOTHING;
  let { pending, bytes } = before;
  const adding: Promise<unknown>[] = [];
  const refusals = group.map(({ record }) => {
    const more = bytesOf(record);
    if (pending + refused >= CLIENT_OUTBOX_RECORDS_MAX) return tooMany();
    if (bytes + more > CLIENT_OUTBOX_BYTES_MAX) {
      const message = `an outbox keeps ${CLIENT_OUTBOX_BYTES_MAX} bytes of records, and has ${bytes}`;
      return new LimitError('CLIENT_OUTBOX_BYTES_MAX', message);
    }
    pending += 1;
    bytes += more;
    adding.push(change.objectStore('records').add(record));
    return null;
  });
  adding.push(change.objectStore('totals').put({ pending, refused, bytes }, 'all'));
  await Promise.all(adding);
  return refusals;
}

async function added(change: Change, more: Partial<OutboxTotals>): Promise<OutboxTotals> {
  const totals = change.objectStore('totals');
  const { pending, refused, bytes } = (await totals.get('all')) ?? NOTHING;
  const sum = {
    pending: pending + (more.pending ?? 0),
    refused: refused + (more.refused ?? 0),
    bytes: bytes + (more.bytes ?? 0),
  };
  await totals.put(sum, 'all');
  return sum;
}

/** Takes records out of those that wait. */
async function withdrawn(
  change: Change,
  numbers: readonly number[],
): Promise<[number, KeptRecord][]> {
  const records = change.objectStore('records');
  const found: [number, KeptRecord][] = [];
  for (const number of numbers) {
    const record = await records.get(number);
    if (record === undefined) continue;
    await records.delete(number);
    found.push([number, record]);
  }
  const bytes = found.reduce((sum, [, record]) => sum + bytesOf(record), 0);
  await added(change, { pending: -found.length, bytes: -bytes });
  return found;
}
