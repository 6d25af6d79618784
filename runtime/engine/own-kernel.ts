// The kernel that lies beside this code, for hosts with Node's file system; knows no host.

let kernel: Promise<WebAssembly.Module> | null = null;

/** The package's own kernel, compiled once; null where no file system has it, as where a bundler has left it behind. */
export async function ownKernel(): Promise<WebAssembly.Module | null> {
  const files = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:fs');
  // Bundlers of the older module format leave no address.
  if (files === undefined || typeof import.meta.url !== 'string') return null;
  const url = new URL('../../build/kernel.wasm', import.meta.url);
  // Turbopack gives a server's code an address on its site.
  if (url.protocol !== 'file:' || !files.existsSync(url)) return null;
  kernel ??= WebAssembly.compile(files.readFileSync(url));
  return kernel;
}
