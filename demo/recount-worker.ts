// The Worker that recounts: neither the page's thread, which paints, nor the engine's, which it checks. Knows no page.

import { expose } from 'comlink';
import { recount } from './recount.ts';

expose(recount);
