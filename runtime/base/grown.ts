// Arrays of numbers that have become too small; knows no meaning of theirs.

type Numbers = Uint8Array | Int32Array | Uint32Array | Float64Array | BigInt64Array;

/** A longer array of the same kind that begins with what this one holds; zeros stand behind. */
export function grown<N extends Numbers>(array: N, length: number): N {
  const longer = new (array.constructor as new (length: number) => N)(length);
  longer.set(array as never);
  return longer;
}
