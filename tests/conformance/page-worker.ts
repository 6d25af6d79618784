// The Worker of a page that has the functions of the cases; knows no case.

import { registerFunctions } from '../../runtime/browser/worker.ts';
import { TEST_FUNCTIONS } from './test-functions.ts';

registerFunctions(TEST_FUNCTIONS);
