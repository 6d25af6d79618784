// How an engine refuses statements, for tests that look at the error; knows no statement.

import { expect } from 'vitest';
import { StatementError } from '../../runtime/base/errors.ts';
import type { Engine } from '../../runtime/engine/engine.ts';

/** What the engine says of the statements, of which one is refused. */
export async function refusal(engine: Engine, sql: string): Promise<StatementError> {
  const thrown = await engine.execute(sql).then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(StatementError);
  return thrown as StatementError;
}
