// The smallest page that runs millrace, so that what a page loads can be bundled and weighed.
import { open } from '../../../runtime/browser/index.ts';

Object.assign(globalThis, { millrace: { open } });
