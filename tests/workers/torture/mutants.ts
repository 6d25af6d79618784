// Mutants of the protocol, each with one fault that the torture must find; a mutant is chosen by the binding MUTANT.

import type { Restored, Commit, OutboxAppend, TaskId } from '../../../runtime/ports/store.ts';
import type { ProducerStamp } from '../../../runtime/ports/log.ts';
import type { Verdict } from '../../../runtime/ports/producers.ts';
import { type Die, isTask } from './points.ts';
import { FailingStore } from './failing-store.ts';

/** How often a fault strikes that would otherwise strike at once and always. */
const OFTEN = 0.2;

/** Offsets are committed in a later transaction than the state. */
class LateOffsets extends FailingStore {
  #late: (() => void) | null = null;

  protected override writePosition(task: number, commit: Commit, position: string): boolean {
    this.#late = () => void super.writePosition(task, commit, position);
    return true;
  }

  override async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const pending = await super.commit(task, commit);
    await scheduler.wait(1);
    this.#late?.();
    return pending;
  }
}

/** The outbox is written in a later transaction than the state. */
class LateOutbox extends FailingStore {
  #late: (() => void) | null = null;

  protected override writeOutbox(task: number, outbox: readonly OutboxAppend[]): void {
    this.#late = () => super.writeOutbox(task, outbox);
  }

  override async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const pending = await super.commit(task, commit);
    this.die('Mutant/outbox not written');
    await scheduler.wait(25);
    this.#late?.();
    return pending;
  }
}

/** A store that says something else about the last commit than what is true. */
abstract class Misremembering extends FailingStore {
  override async load(task: TaskId): Promise<Restored> {
    return this.mistaken(await super.load(task));
  }

  protected abstract mistaken(restored: Restored): Restored;
}

/** Each load makes a new producer, whose sequence goes on where the old one's ended. */
class NewProducers extends Misremembering {
  protected override mistaken(restored: Restored): Restored {
    const { producer } = restored;
    return { ...restored, producer: { ...producer, id: `${Date.now()}.${crypto.randomUUID()}/` } };
  }
}

/** The last record before the load is read again. */
class ReadAgain extends Misremembering {
  protected override mistaken(restored: Restored): Restored {
    return { ...restored, offsets: moved(restored.offsets, -1) };
  }
}

/** The first record after the load is not read. */
class Skipped extends Misremembering {
  protected override mistaken(restored: Restored): Restored {
    return { ...restored, offsets: moved(restored.offsets, 1) };
  }
}

/** What waited in the outbox before the load is not sent. */
class ForgottenOutbox extends Misremembering {
  protected override mistaken(restored: Restored): Restored {
    return { ...restored, pending: [] };
  }
}

function moved(offsets: Restored['offsets'], by: number): Restored['offsets'] {
  return offsets.map((entry) =>
    entry.next > 0 && Math.random() < OFTEN ? { ...entry, next: entry.next + by } : entry,
  );
}

/** The newest changes of the state are not there after a load. */
class ForgottenState extends FailingStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage, die: Die) {
    super(storage, die);
    this.#sql = storage.sql;
  }

  override async load(task: TaskId): Promise<Restored> {
    if (Math.random() < OFTEN)
      this.#sql.exec('DELETE FROM delta WHERE id = (SELECT max(id) FROM delta)');
    return super.load(task);
  }
}

/** Mutants of a task's store. */
export const STORES: Readonly<
  Record<string, new (storage: DurableObjectStorage, die: Die) => FailingStore>
> = {
  'late-offsets': LateOffsets,
  'late-outbox': LateOutbox,
  'new-producers': NewProducers,
  'read-again': ReadAgain,
  skipped: Skipped,
  'forgotten-outbox': ForgottenOutbox,
  'forgotten-state': ForgottenState,
};

/** What a partition of that mutant makes of its verdict. */
export function misjudged(mutant: string | null, verdict: Verdict, stamp: ProducerStamp): Verdict {
  if (verdict.kind !== 'repeat') return verdict;
  const again: Verdict = { kind: 'append', producer: verdict.producer };
  switch (mutant) {
    case 'no-dedupe': // What a task repeats is appended again.
      return isTask(stamp) ? again : verdict;
    case 'no-client-dedupe': // What a client repeats is appended again.
      return isTask(stamp) ? verdict : again;
    case 'wrong-original': // A repeat is answered with another offset than it has.
      return { ...verdict, base: (verdict.base ?? 0) + 1 };
    default:
      return verdict;
  }
}
