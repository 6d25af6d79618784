// The types that columns of the kernel's decoders have, as a table so that neither half needs its code; knows no kernel.

import type { Type } from '../data/type.ts';

const KINDS = /^(?:BIGINT|BOOLEAN|DATE|DOUBLE|INTEGER|STRING|TIME|TIMESTAMP)$/u;

/** Whether the kernel has columns of the type; what it does not have it gives of JSON as text. */
export function isKernelType({ kind }: Type): boolean {
  return KINDS.test(kind);
}
