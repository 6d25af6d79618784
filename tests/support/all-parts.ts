// Set-up of the Node tests: fetches every part, so that tests may call synchronous code by itself; knows no test.
import { loadParts } from '../../runtime/engine/parts.ts';
import { loadWholeKernel } from '../../runtime/engine/whole-kernel.ts';

await loadParts();
await loadWholeKernel();
