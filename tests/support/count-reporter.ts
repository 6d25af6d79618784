// A Vitest reporter that writes how many tests passed, failed and were skipped to the file MILLRACE_COUNT_FILE.
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import type { Reporter, TestModule } from 'vitest/node';

/** What a run came to; a file that could not be loaded and an error outside any test count as failed. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const path = process.env['MILLRACE_COUNT_FILE'];
    if (path === undefined) throw new Error('MILLRACE_COUNT_FILE names no file');
    const results = modules
      .flatMap((one) => [...one.children.allTests()])
      .map((one) => one.result().state);
    const broken = modules
      .flatMap((one) => [one, ...one.children.allSuites()])
      .flatMap((one) => one.errors());
    const of = (state: string): number => results.filter((one) => one === state).length;
    const count: Count = {
      passed: of('passed'),
      failed: of('failed') + of('pending') + broken.length + errors.length,
      skipped: of('skipped'),
    };
    writeFileSync(path, JSON.stringify(count));
  }
}
