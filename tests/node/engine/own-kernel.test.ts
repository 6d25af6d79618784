// The package's own kernel where a bundler has moved the code: found beside it, or done without.

import { afterEach, expect, test, vi } from 'vitest';
import { ownKernel } from '../../../runtime/engine/own-kernel.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** As Turbopack makes addresses of a server's assets: a URL by its prototype, with a path of the site for a name. */
function siteAddress(): object {
  const address: unknown = Object.create(URL.prototype);
  return Object.defineProperties(address as object, {
    protocol: { value: '' },
    href: { value: '/_next/static/media/kernel.wasm' },
  });
}

test('an address that is of no file is not looked for, and nothing is warned of', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  vi.stubGlobal('URL', siteAddress);
  expect(await ownKernel()).toBeNull();
  vi.unstubAllGlobals();
  // Warnings come a turn later.
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off('warning', note);
  expect(warnings).toEqual([]);
  expect(await ownKernel()).toBeInstanceOf(WebAssembly.Module);
});
