// The ports of a Worker pass the suites of the ports behind them: every call, every refusal and every byte crosses a channel.

import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryStore } from '../../../runtime/memory/memory-store.ts';
import { NEWS, TO_ENGINE } from '../../../runtime/pool/messages.ts';
import { RemoteLog } from '../../../runtime/pool/remote-log.ts';
import { RemoteStore } from '../../../runtime/pool/remote-store.ts';
import { ServedPorts } from '../../../runtime/pool/served-ports.ts';
import { answerCalls } from '../../../runtime/ports/answers.ts';
import { Calls } from '../../../runtime/ports/calls.ts';
import { behindMicrotasks } from '../../../runtime/ports/behind-microtasks.ts';
import { Line } from '../../../runtime/ports/line.ts';
import type { TopicPartition } from '../../../runtime/ports/log.ts';
import type { Store } from '../../../runtime/ports/store.ts';
import { describeLog } from '../../contracts/log.ts';
import { describeStore } from '../../contracts/store.ts';

const START_MS = 1_700_000_000_000;

function linked(durable: { readonly log: MemoryLog; readonly store: MemoryStore }) {
  const { port1, port2 } = new MessageChannel();
  const near = new Line(port1, behindMicrotasks);
  const far = new Line(port2, behindMicrotasks);
  const served = new ServedPorts(durable, near.channel(NEWS));
  answerCalls(near.channel(TO_ENGINE), served);
  const calls = new Calls<ServedPorts>(far.channel(TO_ENGINE));
  const log = new RemoteLog(calls);
  far.channel(NEWS).receive((at) => log.wake(at as TopicPartition));
  const dispose = async (): Promise<void> => {
    served.close();
    port1.close();
  };
  return { log, remote: new RemoteStore(calls, durable.store.delivers), dispose };
}

function ports(delivery: 'atomic' | 'outbox') {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  const store = new MemoryStore({ clock, deliverTo: delivery === 'atomic' ? log : undefined });
  return { clock, log, store };
}

describeLog('the log of a Worker', async () => {
  const { clock, ...durable } = ports('atomic');
  const { log, dispose } = linked(durable);
  return {
    log,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    upkeep: async (at, aheadMs) => {
      clock.advance(aheadMs);
      return durable.log.upkeep(at);
    },
    dispose,
  };
});

for (const delivery of ['atomic', 'outbox'] as const) {
  describeStore(`the store of a Worker, delivery: ${delivery}`, async () => {
    const durable = ports(delivery);
    const { log, remote, dispose } = linked(durable);
    // What only the engine's thread asks is asked of its store.
    const store: Store = {
      takesBlocks: remote.takesBlocks,
      load: (task) => remote.load(task),
      commit: (task, commit) => remote.commit(task, commit),
      acknowledge: (task, to, next) => remote.acknowledge(task, to, next),
      rebuild: (task, begin) => remote.rebuild(task, begin),
      reader: (task) => durable.store.reader(task),
      remove: (task) => durable.store.remove(task),
    };
    return { store, log, dispose };
  });
}
