// What the kernel path does only where the kernel is a whole one; knows no plan.

export { OTHER_FUNCTIONS } from '../kernel/other-functions.ts';
export { forgotten } from './forgetting.ts';
export { kernelSessions } from './kernel-sessions.ts';
export { bring, overTable } from './kernel-tables.ts';
