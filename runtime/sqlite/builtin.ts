// Node's own modules, asked of the process and not imported: no bundler for pages or Workers ever looks for them; knows no file.

import type * as Fs from 'node:fs';
import type * as Sqlite from 'node:sqlite';
import { PortError } from '../base/errors.ts';

interface Builtins {
  readonly 'node:fs': typeof Fs;
  readonly 'node:sqlite': typeof Sqlite;
}

/** @throws {PortError} UNAVAILABLE where there is no Node, or an older one */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const found = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.<Name>(name);
  if (found !== undefined) return found;
  throw new PortError(
    'UNAVAILABLE',
    `a database file needs ${name}, as Node has it since 22.13; without \`storage\` everything is kept in memory`,
  );
}
