// Runs one operator without a task: state in a map, problems and counters collected; knows no host.

import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import type { Batch } from '../../runtime/data/batch.ts';
import { concat } from '../../runtime/data/batches.ts';
import { format } from '../../runtime/data/pretty.ts';
import type {
  Holding,
  Moment,
  Operator,
  OperatorContext,
  RowProblem,
} from '../../runtime/operators/operator.ts';
import type {
  Entry,
  KeyRange,
  StateBlock,
  StateBytes,
  StatePack,
  StateReader,
} from '../../runtime/ports/store.ts';

/** Bytes as text that sorts as they do. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Committed state in a map. */
export class MapState implements StateReader {
  readonly entries = new Map<string, Entry>();

  get(table: string, key: Uint8Array): Uint8Array | null {
    return this.entries.get(`${table} ${hex(key)}`)?.value ?? null;
  }

  *scan(table: string, range: KeyRange): Iterable<Entry> {
    const own = [...this.entries].filter(([name]) => name.startsWith(`${table} `));
    for (const [, entry] of own.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (range.from !== null && compareBytes(entry.key, range.from) < 0) continue;
      if (range.to !== null && compareBytes(entry.key, range.to) >= 0) continue;
      yield entry;
    }
  }

  apply(change: StateBytes): void {
    const name = `${change.table} ${hex(change.key)}`;
    if (change.value === null) this.entries.delete(name);
    else this.entries.set(name, { key: change.key, value: change.value });
  }

  /** Every entry as text, sorted: two states are equal when these are. */
  lines(): string[] {
    return [...this.entries].map(([name, { value }]) => `${name} = ${hex(value)}`).sort();
  }
}

/** What lies side by side, one by one. */
export function changesOf(block: StateBlock | StatePack): StateBytes[] {
  const { table } = block;
  if ('ids' in block) {
    const { names, ids, starts, values, valueBytes } = block;
    return [...ids].map((id, i) => ({
      table,
      key: names.key(id, starts[i] ?? 0),
      value: values.slice(i * valueBytes, (i + 1) * valueBytes),
    }));
  }
  const changes: StateBytes[] = [];
  block.each((key, value) =>
    changes.push({ table, key: key.slice(), value: value?.slice() ?? null }),
  );
  const bytes = changes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
  if (changes.length !== block.size || bytes !== block.bytes)
    throw new Error(`a pack has ${changes.length} entries of ${bytes} bytes and says otherwise`);
  return changes;
}

/** Of the records that rows of origin 0 came from: more than 32 bits hold. */
const FIRST_OFFSET = 5_000_000_000;

export type MakeOperator = (context: OperatorContext) => Operator;

/** One operator with its state; `restart` commits and goes on with a new instance over the committed state. */
export class OperatorRun {
  readonly state = new MapState();
  readonly problems: RowProblem[] = [];
  readonly counters = new Map<string, number>();
  readonly emitted: Batch[] = [];
  streamTimeMs = -Infinity;
  #operator: Operator;
  #context: OperatorContext;
  #commits = 0;

  constructor(make: MakeOperator) {
    this.#context = this.#newContext();
    this.#operator = make(this.#context);
  }

  #newContext(): OperatorContext {
    return {
      state: this.state,
      streamTime: { ms: this.streamTimeMs },
      report: (problem) => this.problems.push(problem),
      count: (name, by) => this.counters.set(name, (this.counters.get(name) ?? 0) + by),
      time: () => ({ now: 1_000, seed: '7', idleSeed: '7', firstOffset: FIRST_OFFSET }),
    };
  }

  process(batch: Batch, input = 0): this {
    this.#operator.process(input, batch, (out) => this.emitted.push(out));
    return this;
  }

  /** Takes the changes into the committed state, every other time as a store does that takes them side by side. */
  commit(): this {
    const taken = new Set<string>();
    const take = (change: StateBytes): void => {
      const name = `${change.table} ${hex(change.key)}`;
      if (taken.has(name)) throw new Error(`a commit has the key ${name} twice`);
      taken.add(name);
      this.state.apply(change);
    };
    const takesBlocks = this.#commits++ % 2 === 1;
    this.#operator.changes?.(take, takesBlocks ? (block) => changesOf(block).forEach(take) : null);
    this.streamTimeMs = this.#context.streamTime.ms;
    return this;
  }

  restart(make: MakeOperator): this {
    this.commit();
    this.close();
    this.#context = this.#newContext();
    this.#operator = make(this.#context);
    return this;
  }

  close(): void {
    this.#operator.close?.();
  }

  /** All rows put out so far, as one table of text a batch of at most BATCH_ROWS_MAX rows. */
  output(): string {
    return concat(this.emitted).map(format).join('\n');
  }
}

/** The operator over a store that shows what a commit has taken only when the next one begins. */
export function shownLate(make: MakeOperator): MakeOperator {
  return (context) => {
    const shown = new MapState();
    for (const [name, entry] of (context.state as MapState).entries) shown.entries.set(name, entry);
    let taken: StateBytes[] = [];
    const operator = make({ ...context, state: shown });
    return {
      name: operator.name,
      schema: operator.schema,
      process: (...given) => operator.process(...given),
      changes(into) {
        for (const change of taken) shown.apply(change);
        taken = [];
        operator.settle?.();
        operator.changes?.((change) => {
          taken.push(change);
          into(change);
        });
      },
    };
  };
}

/** More than the origins of one moment in tests. */
const ORIGINS_MAX = 1000;

interface OwnMoment extends Moment {
  readonly of: Batch | null;
}

interface SeveralMoments extends Moment {
  readonly parts: readonly OwnMoment[];
}

/**
 * The operator as a task runs it that lets rows be held back until a commit: batches that are cut from one are of one moment.
 * @param isTogether rows of several moments may be in one batch
 * @throws {Error} when a row is emitted among those of another moment
 */
export function heldBack(make: MakeOperator, isTogether = false): MakeOperator {
  return (context) => {
    const time = context.time();
    const moments = new Map<unknown, OwnMoment>();
    let moment: OwnMoment = { time, of: null };
    const holding: Holding = {
      get moment() {
        return moment;
      },
      emit(of, batch, out) {
        const parts = 'parts' in of ? (of as SeveralMoments).parts : [of as OwnMoment];
        const given = parts.map((part) => new Set(part.of?.origin));
        const origin = batch.origin?.map((at) => {
          const own = at % ORIGINS_MAX;
          if (given[Math.floor(at / ORIGINS_MAX)]?.has(own) === true) return own;
          throw new Error('a row is emitted in another moment than its own');
        });
        out({ ...batch, origin: origin ?? null });
      },
    };
    if (isTogether)
      holding.together = (all) => ({
        moment: { time, parts: all } as Moment,
        from: all.map((_, i) => i * ORIGINS_MAX),
      });
    const operator = make({ ...context, holding });
    return {
      name: operator.name,
      schema: operator.schema,
      process(input, batch, out) {
        const known = moments.get(batch.rowtime) ?? { time, of: batch };
        moments.set(batch.rowtime, known);
        moment = known;
        operator.process(input, batch, out);
      },
      changes(into, intoBlock) {
        operator.settle?.();
        operator.changes?.(into, intoBlock);
      },
    };
  };
}
