// The files in which a workerd on disk keeps its objects: which is which, copies of them, and their way back; the workerd must not run meanwhile.

import { copyFileSync, cpSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A database, what has not been written into it, and the index of that. */
const SUFFIXES = ['', '-wal', '-shm'];

/** `partition <topic>/<partition>`, `processor <query>/<sub-topology>/<partition>` or `catalog`. */
export type ObjectName = string;

/** The objects below a folder, with the paths of their databases in it. Those that hold nothing yet are left out. */
function objectsIn(folder: string): Map<ObjectName, string> {
  const found = new Map<ObjectName, string>();
  for (const path of globSync('millrace-{Partition,Processor,Catalog}/*.sqlite', { cwd: folder })) {
    const name = path.includes('/metadata') ? null : nameOf(join(folder, path));
    if (name !== null) found.set(name, path);
  }
  return found;
}

/** A copy is asked, so that nothing is written where it is from. */
function nameOf(path: string): ObjectName | null {
  const folder = mkdtempSync(join(tmpdir(), 'object-'));
  try {
    for (const suffix of SUFFIXES)
      if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, `copy${suffix}`));
    using database = new DatabaseSync(join(folder, 'copy'));
    const tables = database.prepare('SELECT name FROM sqlite_master').all();
    const has = (table: string): boolean => tables.some(({ name }) => name === table);
    if (has('entry')) return 'catalog';
    if (has('segment')) {
      const name = "SELECT topic || '/' || partition AS name FROM meta WHERE open = 1";
      const [meta] = database.prepare(name).all();
      return meta === undefined ? null : `partition ${String(meta['name'])}`;
    }
    if (!has('process')) return null;
    const [process] = database.prepare('SELECT task FROM process').all();
    if (process === undefined) return null;
    const { query, subtopology, partition } = JSON.parse(String(process['task'])) as Task;
    return `processor ${query}/${subtopology}/${partition}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Task {
  readonly query: string;
  readonly subtopology: number;
  readonly partition: number;
}

/** A copy of all objects as they stand. */
export class Backup {
  readonly #folder: string;
  readonly #objects: Map<ObjectName, string>;

  constructor(folder: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'backup-'));
    cpSync(folder, this.#folder, { recursive: true });
    this.#objects = objectsIn(this.#folder);
  }

  /** Puts the chosen ones back. @returns their names */
  putBack(folder: string, isChosen: (name: ObjectName) => boolean = () => true): ObjectName[] {
    const chosen = [...this.#objects].filter(([name]) => isChosen(name));
    for (const [, path] of chosen) {
      for (const suffix of SUFFIXES) {
        rmSync(join(folder, path + suffix), { force: true });
        const kept = join(this.#folder, path + suffix);
        if (existsSync(kept)) copyFileSync(kept, join(folder, relative('.', path + suffix)));
      }
    }
    return chosen.map(([name]) => name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
