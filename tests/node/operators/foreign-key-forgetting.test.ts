// Foreign-key joins that keep no key in memory that the last commit has not taken: what they have forgotten they read again.

import {
  BY_KEY,
  BY_VALUE,
  BY_VALUE_OF_TWO,
  foreignKeyCase,
} from '../../support/foreign-key-operator.ts';
import { keepShortColumns } from '../../support/kept-columns.ts';
import { describeOperator } from '../../support/operator-contract.ts';
import { shownLate } from '../../support/operator-harness.ts';

keepShortColumns();

for (const type of ['INNER', 'LEFT'] as const)
  for (const [name, referring] of Object.entries({ BY_VALUE, BY_KEY, BY_VALUE_OF_TWO })) {
    const subject = foreignKeyCase(type, { referring, idleKeysMax: 0 });
    const paths = subject.paths
      .filter(({ name: path }) => !path.startsWith('rows'))
      .map(({ name: path, make }) => ({ name: path, make: shownLate(make) }));
    describeOperator(`a forgetful foreign-key join, ${type} ${name}`, { ...subject, paths });
  }
