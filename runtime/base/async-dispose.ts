// The name of the method that ends a resource at the end of a block, in browsers too that do not have the symbol; knows no resource.

// Programs whose types end with an older language know the symbol by this.
/// <reference lib="esnext.disposable" preserve="true" />

/** What bundlers write for such browsers looks for the same symbol. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
