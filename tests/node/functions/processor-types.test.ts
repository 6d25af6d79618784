// What TypeScript says of processors in code: keys, values, records, outputs; the compiler is the test, the assertions are a formality.

import { expect, expectTypeOf, test } from 'vitest';
import { processor, table } from '../../../runtime/index.ts';

test('keys and values of state, records and outputs are typed by the declaration', () => {
  const made = processor({
    name: 'typed',
    inputs: {
      bets: { key: { user: 'STRING' }, value: { amount: 'DOUBLE' } },
      users: { key: { user: 'STRING' }, value: { since: 'BIGINT' } },
    },
    outputs: { alerts: 'alerts' },
    state: {
      totals: table({
        key: { user: 'STRING', day: 'DATE' },
        value: { n: 'BIGINT', tags: 'ARRAY<STRING>', price: 'DECIMAL(9, 2)' },
      }),
    },
    process(record, { state, emit, random }) {
      const key = { user: 'a', day: 1 };
      const found = state.totals.get(key);
      expectTypeOf(found?.n).toEqualTypeOf<bigint | null | undefined>();
      expectTypeOf(found?.tags).toEqualTypeOf<readonly (string | null)[] | null | undefined>();
      expectTypeOf(random()).toBeNumber();
      if (record.source === 'bets')
        expectTypeOf(record.value?.amount).toEqualTypeOf<number | null | undefined>();
      else expectTypeOf(record.value?.since).toEqualTypeOf<bigint | null | undefined>();
      // @ts-expect-error -- users have no amount
      void record.value?.amount;
      // @ts-expect-error -- a key has all its columns
      state.totals.get({ user: 'a' });
      // @ts-expect-error -- a key has no others
      state.totals.delete({ user: 'a', dey: 1 });
      // @ts-expect-error -- a key column is of its type
      state.totals.get({ user: 1, day: 1 });
      // @ts-expect-error -- a BIGINT is a bigint
      state.totals.set(key, { n: 1, tags: [], price: 1n });
      // @ts-expect-error -- a value has all its columns, null where there is none
      state.totals.set(key, { n: 1n });
      state.totals.set(key, { n: null, tags: ['a', null], price: 100n });
      state.totals.scan({ user: 'a' });
      // @ts-expect-error -- rows are scanned by columns of the key
      state.totals.scan({ n: 1n });
      // @ts-expect-error -- there is no such table
      state.sums.get(key);
      emit.alerts({ user: 'a' }, { rowtime: 0 });
      // @ts-expect-error -- there is no such output
      emit.alarms({});
    },
  });
  expect(made.name).toBe('TYPED');
});

test('a record of unnamed columns takes any', () => {
  const made = processor({
    name: 'untyped',
    inputs: ['bets', 'users'],
    process(record) {
      expectTypeOf(record.source).toEqualTypeOf<'bets' | 'users'>();
      expectTypeOf(record.key['user']).toBeAny();
      expectTypeOf(record.offset).toBeNumber();
    },
  });
  expect(made.inputs.map(({ source }) => source)).toEqual(['BETS', 'USERS']);
});
