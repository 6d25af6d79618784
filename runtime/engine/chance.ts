// Random numbers of the moment, for statements that are carried out once; what tasks draw follows from their inputs. Knows no statement.

/** A number in [0, 1) of 53 bits, from the host's source of randomness. */
export function chance(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return ((high >>> 5) * 0x400_0000 + (low >>> 6)) / 2 ** 53;
}
