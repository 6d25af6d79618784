// A page's own Worker that brings functions, as the documentation of registerFunctions says; knows no test.

import { registerFunctions } from '../../runtime/browser/worker.ts';
import { scalarFunction } from '../../runtime/index.ts';

registerFunctions([
  scalarFunction({
    name: 'TWICE',
    parameters: [{ name: 'n', type: 'INT' }],
    returns: 'INT',
    call: ([n]) => n * 2,
  }),
]);
