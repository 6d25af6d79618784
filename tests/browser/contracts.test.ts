// The adapters of the browser pass the suites of their ports, in Chromium.

import { behindMicrotasks } from '../../runtime/ports/behind-microtasks.ts';
import { Line } from '../../runtime/ports/line.ts';
import { systemClock } from '../../runtime/memory/system-clock.ts';
import { describeClock } from '../contracts/clock.ts';
import { describeLog } from '../contracts/log.ts';
import { describeAdmission } from '../contracts/log-admission.ts';
import { describeCompaction } from '../contracts/log-compaction.ts';
import { describeHistories } from '../contracts/log-history.ts';
import { describeRetention } from '../contracts/log-retention.ts';
import { describeStore } from '../contracts/store.ts';
import { describeTransport } from '../contracts/transport.ts';
import { openFollowed, openIdb } from './idb.ts';

describeLog('IdbLog', openIdb);
describeAdmission('IdbLog', openIdb);
// Here the suite says when there is upkeep; tests/browser/upkeep.test.ts has the log do it by itself.
describeRetention('IdbLog', () => openIdb(undefined, null));
describeCompaction('IdbLog', () => openIdb(undefined, null), 25);
describeHistories('IdbLog', () => openIdb(undefined, null), 3);
describeStore('IdbStore', openIdb);

describeLog('IdbLog with its companion', openFollowed);
describeAdmission('IdbLog with its companion', openFollowed);
describeRetention('IdbLog with its companion', openFollowed);
describeCompaction('IdbLog with its companion', openFollowed, 25);
describeHistories('IdbLog with its companion', openFollowed, 3);
describeStore('IdbStore with its companion', openFollowed);

describeTransport('Line', async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [
    new Line(port1, behindMicrotasks),
    new Line(port2, (run, ms) => void setTimeout(run, ms)),
  ];
  return [near.channel(7), far.channel(7)];
});

describeClock('systemClock', () => ({
  clock: systemClock,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
