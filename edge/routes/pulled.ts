// The rows of a pull query from all of its partitions, with a bound for what is on its way at once; knows no object and no format.

import { PULL_BYTES_MAX } from '../../runtime/base/limits.ts';
import { mergedRows, type PulledRows, refuseTooLong } from '../rows.ts';

/** What each partition may bring at least that is asked beside the others: short answers come with the first call. */
const SHARE_BYTES_MIN = 65_536;
const LINE_FEED = 0x0a;

/**
 * All are asked at once, each for its share of PULL_BYTES_MAX; those that have more are asked again: at once where all of it may answer, else one after the
 * other, as rows before them are left out.
 * @param ask brings rows, or how many bytes there are where those are more than may come
 * @throws {LimitError} PULL_ROWS_MAX, PULL_BYTES_MAX; what `ask` throws
 */
export async function pulledFrom(
  partitions: readonly number[],
  limit: number | null,
  ask: (partition: number, bytesMax: number) => Promise<PulledRows>,
): Promise<PulledRows> {
  const share = Math.max(SHARE_BYTES_MIN, Math.floor(PULL_BYTES_MAX / partitions.length));
  const first = await Promise.all(
    partitions.map(async (partition) => ({ partition, rows: await ask(partition, share) })),
  );
  const bytes = first.reduce((sum, { rows }) => sum + rows.lines.length + (rows.needed ?? 0), 0);
  const isLong = first.some(({ rows }) => rows.needed !== undefined);
  // Without a limit nothing is left out.
  if (isLong && limit === null) refuseTooLong(bytes);
  const whole = async ({ partition, rows }: (typeof first)[number]): Promise<PulledRows> =>
    rows.needed === undefined ? rows : ask(partition, PULL_BYTES_MAX);
  if (!isLong || bytes <= PULL_BYTES_MAX)
    return mergedRows(await Promise.all(first.map(whole)), limit);
  let held: PulledRows[] = [];
  let heldBytes = 0;
  for (const one of first) {
    const rows = await whole(one);
    held.push(rows);
    heldBytes += rows.lines.length;
    if (heldBytes <= PULL_BYTES_MAX) continue;
    const merged = mergedRows(held, limit, false);
    held = [merged];
    heldBytes = merged.lines.length;
    // Rows that stand in the order of their partitions: those of the next ones come behind.
    if (merged.order === null && rowsIn(merged.lines) === limit) break;
  }
  return mergedRows(held, limit);
}

function rowsIn(lines: Uint8Array): number {
  let rows = 1;
  for (let at = -1; (at = lines.indexOf(LINE_FEED, at + 1)) >= 0;) rows += 1;
  return rows;
}
