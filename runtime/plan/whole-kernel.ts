// What plans count on where the kernel is a whole one; knows no kernel.

export { keyText, withPath } from './other-formats.ts';
export { lackOf, tableLackOf } from './other-aggregates.ts';
