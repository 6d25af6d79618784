// A process that inserts numbers into a database file, one after the other, and tells which are in, until it is killed; judges nothing.

import process from 'node:process';
import { open } from '../../../runtime/engine/open.ts';
import { NUMBERS_SQL } from './numbers.ts';

const [file = ''] = process.argv.slice(2);
const engine = await open({ storage: { file, durability: 'relaxed' } });
if (!engine.catalog.sources.has('NUMBERS')) await engine.execute(NUMBERS_SQL);
const { topics } = await engine.stats();
for (let n = topics['numbers']?.in ?? 0; ; n++) {
  await engine.insert('numbers', { k: `k${n % 7}`, n });
  process.stdout.write(`${n}\n`);
}
