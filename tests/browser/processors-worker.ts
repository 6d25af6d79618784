// A page's own Worker that brings a processor in code, as the documentation of registerProcessors says; knows no test.

import { registerProcessors } from '../../runtime/browser/worker.ts';
import { fraud } from '../support/fraud.ts';

registerProcessors([fraud]);
