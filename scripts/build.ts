// Makes dist/: JavaScript and types, file by file, and the kernel; what a bundler or a reader finds is the code as written.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import process from 'node:process';

const root = resolve(import.meta.dirname, '..');
const dist = resolve(root, 'dist');

function run(script: string, ...rest: string[]): void {
  const { status } = spawnSync(process.execPath, [resolve(root, script), ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

// tsc leaves `.ts` in the imports of declarations and in `new URL('./file.ts', import.meta.url)`; both name built files here. What is
// computed it wraps in a call that changes no whole address, and hides from bundlers the comments that tell them to leave it alone.
function nameBuiltFiles(path: string): void {
  const text = readFileSync(path, 'utf8');
  const built = text
    .replaceAll(
      /((?:from |import |import\(|new URL\()['"])(\.{1,2}\/[^'"]+)\.ts(?=['"])/g,
      '$1$2.js',
    )
    .replace(/^var __rewriteRelativeImportExtension = .*?^};\n/ms, '')
    .replaceAll(/import\(__rewriteRelativeImportExtension\((.*?)\)\)/g, 'import($1)');
  if (built !== text) writeFileSync(path, built);
}

// Every relative request of the built JavaScript must name a file that is in the package.
function missingFiles(path: string): string[] {
  const requests = readFileSync(path, 'utf8').matchAll(
    /^(?!\s*(?:\/\/|\*)).*?(?:from |import |import\(|new URL\()['"](\.{1,2}\/[^'"]+)['"]/gm,
  );
  return [...requests]
    .map(([, request = '']) => request)
    .filter((request) => !existsSync(resolve(dirname(path), request)))
    .map((request) => `${path}: ${request} is not in dist/`);
}

rmSync(dist, { recursive: true, force: true });
run('scripts/kernel.ts');
run('node_modules/typescript/bin/tsc', '-p', 'edge/tsconfig.build.json');
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
// At the place where the sources look for it, so that their relative paths hold in dist/ too.
for (const wasm of globSync('build/*.wasm', { cwd: root })) {
  cpSync(resolve(root, wasm), resolve(dist, wasm));
}
chmodSync(resolve(dist, 'cli/main.js'), 0o755);

const scripts = globSync('**/*.js', { cwd: dist }).map((path) => resolve(dist, path));
const types = globSync('**/*.d.ts', { cwd: dist }).map((path) => resolve(dist, path));
[...scripts, ...types].forEach(nameBuiltFiles);
const missing = scripts.flatMap(missingFiles);
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exitCode = 1;
}
