// The adapters of the browser pass the suites of their ports, in Chromium.

import { portTransport } from '../../runtime/browser/port-transport.ts';
import { systemClock } from '../../runtime/memory/system-clock.ts';
import { describeClock } from '../contracts/clock.ts';
import { describeLog } from '../contracts/log.ts';
import { describeRetention } from '../contracts/log-retention.ts';
import { describeStore } from '../contracts/store.ts';
import { describeTransport } from '../contracts/transport.ts';
import { openIdb } from './idb.ts';

describeLog('IdbLog', openIdb);
describeRetention('IdbLog', openIdb);
describeStore('IdbStore', openIdb);

describeTransport('portTransport', async () => {
  const { port1, port2 } = new MessageChannel();
  return [portTransport(port1), portTransport(port2)];
});

describeClock('systemClock', () => ({
  clock: systemClock,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
