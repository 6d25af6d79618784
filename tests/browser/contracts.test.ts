// The IndexedDB adapters pass the suites of their ports, in Chromium.

import { describeLog } from '../contracts/log.ts';
import { describeStore } from '../contracts/store.ts';
import { openIdb } from './idb.ts';

describeLog('IdbLog', openIdb);
describeStore('IdbStore', openIdb);
