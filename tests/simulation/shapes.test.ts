// Queries of every shape under seeded faults: what they write, keep and tell is what they do without faults, on either path.

import process from 'node:process';
import { expect, test } from 'vitest';
import { LimitError, PortError, StatementError } from '../../runtime/base/errors.ts';
import { type FaultPlan, seededFaults } from '../../runtime/memory/faults.ts';
import { TestDriver } from '../../runtime/memory/test-driver.ts';
import { type Draw, draws } from '../support/draws.ts';
import { kernelModule } from '../support/kernel-module.ts';
import {
  type WideQuery,
  wideQuery,
  type WideRecord,
  wideRecords,
} from '../support/wide-queries.ts';
import { HANGS_MS } from '../support/waits.ts';

/** More of them in a run of its own. */
const SEEDS = Number(process.env['SEEDS'] ?? 30);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const RECORDS_MAX = 100;

interface Given extends WideQuery {
  readonly pieces: readonly (readonly WideRecord[])[];
}

/** Records come a topic at a time, and each time to their end, so that what is at hand does not hang on the faults. */
function givenOf(draw: Draw): Given {
  let query = wideQuery(draw);
  while (query.isRacing) query = wideQuery(draw);
  const records = wideRecords(draw, query, 1 + draw(RECORDS_MAX));
  const pieces: WideRecord[][] = [];
  for (let from = 0; from < records.length;) {
    const piece = records.slice(from, (from += 1 + draw(30)));
    for (const topic of query.topics) pieces.push(piece.filter((one) => one.topic === topic));
  }
  return { ...query, pieces };
}

/** Whom another life has fenced begins anew. */
async function settle(driver: TestDriver): Promise<void> {
  for (;;) {
    try {
      await driver.settle();
      return;
    } catch (thrown) {
      if (!(thrown instanceof PortError) || thrown.code !== 'FENCED') throw thrown;
      driver.crash();
    }
  }
}

interface Outcome {
  /** null: the query is refused; a text: why it has ended. */
  readonly seen: object | string | null;
  readonly crashes: number;
}

/** What fails at operations of the ports, and what strikes between pieces. */
interface Blows {
  readonly faults: FaultPlan;
  readonly strike: () => void;
}

/** @param blows null: nothing fails */
async function outcome(
  { sql, isTable, pieces }: Given,
  driver: TestDriver,
  blows: Blows | null,
): Promise<Outcome> {
  try {
    for (const statement of sql) await driver.execute(statement);
    if (blows !== null) driver.arm(blows.faults);
    for (const piece of pieces) {
      const [first] = piece;
      if (first !== undefined) await driver.pipe(first.topic, piece);
      await settle(driver);
      blows?.strike();
    }
    driver.disarm();
    if (blows !== null) driver.crash();
    await settle(driver);
    const records = await driver.texts('R');
    const problems = await driver.texts('__processing_log');
    const seen = {
      records: records.map(({ key, value, timestamp }) => [key, value, timestamp]),
      rows: isTable ? await driver.query('SELECT * FROM r;') : null,
      problems: problems
        .map(({ value }) => {
          const { topic, offset, code } = JSON.parse(value ?? '') as Record<string, unknown>;
          return JSON.stringify([topic, offset, code]);
        })
        .sort(),
    };
    return { seen, crashes: driver.crashes };
  } catch (thrown) {
    if (thrown instanceof StatementError) return { seen: null, crashes: 0 };
    // A DECIMAL that overflows ends the query.
    if (thrown instanceof LimitError) return { seen: thrown.message, crashes: 0 };
    throw thrown;
  } finally {
    await driver.close();
  }
}

test(
  'faults at every operation of the ports change nothing, whatever the query',
  async () => {
    let crashes = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const draw = draws(seed);
      const given = givenOf(draw);
      const properties = {
        'auto.offset.reset': 'earliest',
        // An internal topic beside another input has its rows when the tasks have their turns.
        'millrace.fuse': !given.isJoin && seed % 2 === 0 ? 'never' : 'auto',
        'millrace.self.joins': 'allow',
        'millrace.path': seed % 3 === 0 ? 'row' : 'auto',
      };
      const expected = await outcome(given, new TestDriver({ properties }), null);
      const driver = new TestDriver({
        properties,
        kernel: kernelModule(),
        delivery: seed % 4 < 2 ? 'outbox' : 'atomic',
      });
      const strike = (): void => {
        const blow = draw(10);
        if (blow === 0) driver.takeOver();
        if (blow === 1) driver.crash();
      };
      const struck = await outcome(given, driver, { faults: seededFaults(seed), strike });
      const command = `SEED=${seed} SEEDS=1 npx vitest run --project node tests/simulation/shapes`;
      expect(struck.seen, `${command}: ${given.sql.at(-1)}`).toEqual(expected.seen);
      crashes += struck.crashes;
    }
    expect(crashes).toBeGreaterThan(SEEDS / 2);
  },
  HANGS_MS + SEEDS * 1_000,
);
