// What few values and columns need, fetched together.

export * from './json-rarer.ts';
export { rarerBuilder } from './rarer-builders.ts';
