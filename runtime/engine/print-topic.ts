// PRINT: the records of a topic as lines for people, as they come; knows no source and no query.

import { StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import { indexAt, parseRecordBatch } from '../data/record.ts';
import { timestampText } from '../expr/datetime.ts';
import { Recognizer } from '../formats/recognize.ts';
import type { Log, TopicPartition, Unsubscribe } from '../ports/log.ts';
import { readRetained } from './records.ts';
import type { Print, Statement } from '../sql/ast.ts';
import { withParts } from '../task/with-parts.ts';

interface Position {
  readonly at: TopicPartition;
  readonly incarnation: string;
  next: number;
}

interface Printed {
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/**
 * The lines of a PRINT: what the formats seem to be, again when further records leave fewer of them, and a line a record. Where
 * it begins to read is settled when this resolves.
 * @param signals each ends it
 * @throws {StatementError} UNKNOWN_TOPIC; INVALID unless the statements are one PRINT
 */
export async function printTopic(
  [statement, more]: readonly Statement[],
  log: Log,
  signals: readonly AbortSignal[],
): Promise<AsyncGenerator<string, void, undefined>> {
  if (statement?.kind !== 'Print' || more !== undefined) {
    const at = more?.at ?? statement?.at ?? null;
    throw new StatementError('INVALID', 'print() takes one PRINT', at);
  }
  if (statement.interval === 0) {
    throw new StatementError('INVALID', 'INTERVAL is 0', statement.at, 'It is 1 at least.');
  }
  const topic = statement.topic.text;
  const description = await log.describe(topic);
  if (description === null) {
    const known = (await log.list()).filter(({ internal }) => !internal).map(({ name }) => name);
    const hint = await withParts(() =>
      didYouMean(topic, known, 'SHOW TOPICS lists what there is.'),
    );
    throw new StatementError(
      'UNKNOWN_TOPIC',
      `there is no topic ${topic}`,
      statement.topic.at,
      hint,
    );
  }
  const positions: Position[] = [];
  for (let partition = 0; partition < description.partitions; partition++) {
    const at = { topic, partition };
    const { start, highWatermark, incarnation } = await log.bounds(at);
    positions.push({ at, incarnation, next: statement.fromBeginning ? start : highWatermark });
  }
  return lines(statement, log, positions, signals);
}

async function* lines(
  { interval, limit }: Print,
  log: Log,
  positions: readonly Position[],
  signals: readonly AbortSignal[],
): AsyncGenerator<string, void, undefined> {
  const keys = new Recognizer('key');
  const values = new Recognizer('value');
  const news = new News(log, positions, signals);
  let shown = '';
  let seen = 0;
  let left = limit ?? Infinity;
  try {
    while (left > 0 && !news.isOver) {
      const records = await read(log, positions);
      for (const record of records) {
        keys.add(record.key);
        values.add(record.value);
      }
      const formats = `Key format: ${keys.formats}\nValue format: ${values.formats}`;
      if (records.length > 0 && formats !== shown) {
        yield* formats.split('\n');
        shown = formats;
      }
      for (const { partition, timestamp, key, value } of records) {
        seen += 1;
        if (left === 0 || (seen - 1) % (interval ?? 1) !== 0) continue;
        left -= 1;
        const what = `key: ${keys.show(key)}, value: ${values.show(value)}`;
        yield `rowtime: ${timestampText(timestamp)}, ${what}, partition: ${partition}`;
      }
      if (records.length === 0) await news.wait();
    }
  } catch (thrown) {
    // The log may have been closed by what has ended it.
    if (!news.isOver) throw thrown;
  } finally {
    news.close();
  }
}

/** What has come since, of each partition a bounded amount. The records of columnar batches have neither key nor value here. */
async function read(log: Log, positions: readonly Position[]): Promise<readonly Printed[]> {
  const found: Printed[] = [];
  for (const position of positions) {
    const { at, incarnation } = position;
    const { partition } = at;
    const { batches } = await readRetained(log, at, position.next, incarnation);
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      for (let i = indexAt(records, base, position.next); i < records.count; i++) {
        found.push({
          partition,
          timestamp: records.timestamps[i] ?? 0,
          key: records.key(i),
          value: records.value(i),
        });
      }
      position.next = base + count;
    }
  }
  return found;
}

/** Tells when something may have come, or that nothing is wanted any more. */
class News {
  readonly #unsubscribe: readonly Unsubscribe[];
  readonly #signals: readonly AbortSignal[];
  #isNew = false;
  #wake: (() => void) | null = null;

  constructor(log: Log, positions: readonly Position[], signals: readonly AbortSignal[]) {
    this.#signals = signals;
    this.#unsubscribe = positions.map(({ at }) => log.subscribe(at, this.#ring));
    for (const signal of signals) signal.addEventListener('abort', this.#ring);
  }

  readonly #ring = (): void => {
    this.#isNew = true;
    this.#wake?.();
  };

  get isOver(): boolean {
    return this.#signals.some(({ aborted }) => aborted);
  }

  async wait(): Promise<void> {
    if (!this.#isNew && !this.isOver) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#isNew = false;
    this.#wake = null;
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#ring);
  }
}
