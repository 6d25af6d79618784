// Lists and reads the project's source files and their imports; it judges nothing.
import { globSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { parseSync } from 'vite';

/** The repository's root folder, as an absolute path. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** The folders that hold TypeScript of ours. */
export const SOURCE_FOLDERS: readonly string[] = [
  'runtime',
  'engine-asm',
  'edge',
  'cli',
  'demo',
  'tests',
  'scripts',
];

/** One source file: its path from the root with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import or re-export: `target` is a path from the root for a file of ours, else the bare specifier. */
export interface ImportEdge {
  readonly from: string;
  readonly target: string;
  readonly ours: boolean;
  readonly typesOnly: boolean;
}

/** Every TypeScript file below `folders`, sorted by path; scratch and generated folders are left out. */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !/(^|\/)(node_modules|\.tmp|\.wrangler)\//.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(resolve(ROOT, path), 'utf8') }));
}

/** The imports of one file, type-only ones marked. @throws {SyntaxError} when the file does not parse */
export function importsOf({ path, text }: SourceFile): ImportEdge[] {
  const { module, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const edge = (request: string, typesOnly: boolean): ImportEdge => {
    const ours = request.startsWith('.');
    const file = request.replace(/\?.*$/, '');
    const target = ours ? posix.join(posix.dirname(path), file) : request;
    return { from: path, target, ours, typesOnly };
  };
  const statics = module.staticImports.map((one) =>
    edge(
      one.moduleRequest.value,
      one.entries.length > 0 && one.entries.every((entry) => entry.isType),
    ),
  );
  const exported = module.staticExports.flatMap((one) => {
    const request = one.entries[0]?.moduleRequest;
    return request
      ? [
          edge(
            request.value,
            one.entries.every((entry) => entry.isType),
          ),
        ]
      : [];
  });
  const dynamics = module.dynamicImports.flatMap(({ moduleRequest }) => {
    const literal = /^(['"`])(.*)\1$/s.exec(text.slice(moduleRequest.start, moduleRequest.end));
    return literal?.[2] === undefined ? [] : [edge(literal[2], false)];
  });
  return [...statics, ...exported, ...dynamics];
}

/** Names and right-hand sides of `export const NAME = …;`, comments left out. */
export function exportedConstants({ path, text }: SourceFile): Map<string, string> {
  const found = new Map<string, string>();
  for (const { entries } of parseSync(path, text).module.staticExports) {
    for (const { exportName } of entries) {
      const name = exportName.name ?? '';
      const value = new RegExp(`export const ${name}\\b[^=]*=\\s*([^;]+);`).exec(text)?.[1];
      if (value !== undefined) found.set(name, value.replaceAll('_', '').trim());
    }
  }
  return found;
}
