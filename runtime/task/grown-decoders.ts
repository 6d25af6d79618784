// Decoders of this process whose memory has grown with the texts that they know, which it never gives back: bounded together where the host says so; knows no format.

/** What a decoder knows of texts it also keeps outside of its memory. */
const WEIGHT = 2;

/** Between two chunks it can begin anew, and decodes the same. */
interface Decoder {
  letGo(): void;
}

export class GrownDecoders {
  /** Bytes that they may have grown by, together. */
  bytesMax = Infinity;
  /** The one used longest ago first. */
  readonly #grown = new Map<Decoder, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Notes by how much one has grown that has just been used; 0: it is no more. Where it is too much those that were used longest ago begin anew. */
  note(decoder: Decoder, grownBytes: number): void {
    this.#forget(decoder);
    if (grownBytes === 0) return;
    this.#grown.set(decoder, grownBytes * WEIGHT);
    this.#bytes += grownBytes * WEIGHT;
    for (const other of this.#grown.keys()) {
      if (this.#bytes <= this.bytesMax) return;
      this.#forget(other);
      other.letGo();
    }
  }

  #forget(decoder: Decoder): void {
    this.#bytes -= this.#grown.get(decoder) ?? 0;
    this.#grown.delete(decoder);
  }
}

export const grownDecoders = new GrownDecoders();
