// Writes the generated pages of docs/sql, from the registry and the tables that the engine itself uses.
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadParts } from '../runtime/engine/parts.ts';
import { sqlReference } from './sql-reference.ts';

const folder = resolve(import.meta.dirname, '../docs/sql');
await loadParts();
mkdirSync(folder, { recursive: true });
for (const [name, text] of sqlReference()) writeFileSync(resolve(folder, name), text);
