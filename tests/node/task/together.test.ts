// Rows of several chunks of a join's inputs in one batch: which plans let them, and to which record each row still points.

import { expect, test } from 'vitest';
import { STRING } from '../../../runtime/data/type.ts';
import { scalarFunction } from '../../../runtime/index.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import type { ScalarOverload } from '../../../runtime/functions/registry.ts';
import { signatureOf } from '../../../runtime/functions/resolve.ts';
import type { CurrentMoment } from '../../../runtime/task/current.ts';
import { Current } from '../../../runtime/task/current.ts';
import type { BuildContext } from '../../../runtime/task/build.ts';
import { joinedWhole } from '../../../runtime/task/together.ts';
import type { Step } from '../../../runtime/plan/step.ts';

const builtins = builtinRegistry();
/** In their order. */
const ASKING = ['RANDOM', 'UNIX_DATE', 'UNIX_TIMESTAMP', 'UUID'];

function contextOf(report: BuildContext['report'] = () => {}): BuildContext {
  return { current: new Current('0', ['i']), report } as unknown as BuildContext;
}

/** Whether a plan that names the function anywhere lets rows go together. */
function mayGoTogether(name: string, signature: string): boolean {
  const call = { expr: 'call', function: name, signature, arguments: [] };
  const steps = [{ step: 'filter', id: '3', predicate: { expr: 'not', argument: call } }];
  const part = { id: 0, partitions: 1, steps: steps as unknown as readonly Step[] };
  return joinedWhole(part, contextOf()).context.current.together !== undefined;
}

const scalars = builtins.names
  .flatMap((name) => builtins.overloads(name))
  .filter((overload): overload is ScalarOverload => overload.kind === 'scalar');

test('a function that asks for the time or for chance keeps rows of several chunks apart, no other does', () => {
  const asking = scalars.filter((overload) => !mayGoTogether(overload.name, signatureOf(overload)));
  const names = [...new Set(asking.map(({ name }) => name))];
  expect(names.sort()).toEqual(ASKING);
  expect(scalars.length).toBeGreaterThan(200);
});

test('every function that asks when it is called is one of these', () => {
  const asking = new Set<string>();
  for (const { name, body, parameters } of scalars) {
    const context = {
      get now() {
        asking.add(name);
        return 0;
      },
      random() {
        asking.add(name);
        return 0;
      },
    };
    try {
      body?.(parameters.map(() => STRING))(['a', 'a', 'a', 'a'], context, []);
    } catch {
      // Of these arguments most functions make nothing: what counts is whether they ask.
    }
  }
  expect([...asking].sort()).toEqual(ASKING);
});

test('so do functions of the user’s own, aggregates by offset, and steps that hold rows for a time', () => {
  const own = scalarFunction({
    name: 'OWN',
    description: 'Something.',
    category: 'STRING',
    parameters: [{ name: 'text', type: 'STRING' }],
    returns: 'STRING',
    call: ([text]) => text,
  });
  expect(mayGoTogether('OWN', signatureOf(own))).toBe(false);
  expect(mayGoTogether('LATEST_BY_OFFSET', 'LATEST_BY_OFFSET(T)')).toBe(false);
  const part = { id: 0, partitions: 1, steps: [{ step: 'suppress' } as unknown as Step] };
  expect(joinedWhole(part, contextOf()).context.current.together).toBe(undefined);
});

test('a problem of a row is told as of the chunk that it came from, however moments are put together', () => {
  const told: unknown[] = [];
  const context = contextOf((problem) => {
    told.push([given.current.place.topic, problem.origin]);
  });
  const given = context as unknown as { readonly current: Current };
  const { current, report } = joinedWhole({ id: 0, partitions: 1, steps: [] }, context).context;
  const moment = (topic: string, count: number): CurrentMoment => {
    const place = { topic, partition: 0, base: 0, incarnation: 'i' };
    const records = { count } as CurrentMoment['records'];
    return { records, place, time: { now: 1, seed: 's' } };
  };
  const first = current.together?.([moment('a', 3), moment('b', 5)]);
  const second = current.together?.([moment('c', 2), first?.moment as CurrentMoment]);
  expect([first?.from, second?.from]).toEqual([
    [0, 3],
    [0, 2],
  ]);
  current.turn(second?.moment as CurrentMoment);
  for (const origin of [0, 1, 2, 4, 5, 9, null])
    report({ code: 'EXPRESSION', origin, field: '', reason: '' });
  expect(told).toEqual([
    ['c', 0],
    ['c', 1],
    ['a', 0],
    ['a', 2],
    ['b', 0],
    ['b', 4],
    ['b', null],
  ]);
  expect(current.moment).toBe(second?.moment);
});
