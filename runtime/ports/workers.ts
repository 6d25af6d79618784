// The port to further threads: Workers that run tasks, started and watched; knows no task.

import type { MessageEnd } from './line.ts';

/** A Worker as the thread has it that started it. */
export interface StartedWorker {
  /** Messages to and from it. */
  readonly end: MessageEnd;
  /** Resolves when the Worker is no more, with why. */
  readonly ended: Promise<Error>;
  /** Ends it where it stands. */
  terminate(): Promise<void>;
}

/** Starts Workers that run tasks. */
export interface Workers {
  /** true: they bring the functions and processors in code that the engine was opened with. */
  readonly bringFunctions: boolean;
  /**
   * @param number counts from 1, for names
   * @throws {PortError} UNAVAILABLE where none can be started; what goes wrong later shows in `ended`
   */
  start(number: number): Promise<StartedWorker>;
}
