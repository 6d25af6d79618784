// `millrace/testing`: the driver that runs an application of streams in memory, its clock and its faults.

export {
  type Fault,
  faultAt,
  type FaultPlan,
  FAULTS,
  NO_FAULTS,
  seededFaults,
  seededRandom,
} from './memory/faults.ts';
export { ManualClock } from './memory/manual-clock.ts';
export { aggregateFunction, scalarFunction, tableFunction } from './functions/user-functions.ts';
export { processor, table } from './functions/user-processor.ts';
export { queueTransportPair } from './memory/queue-transport.ts';
export {
  type DurablePorts,
  TestDriver,
  type TestDriverOptions,
  type TextRecord,
} from './memory/test-driver.ts';
