// Types of what every host has and not every program's types name: those of Node alone have no WebAssembly; knows no host.

/** A compiled module: `WebAssembly.Module` where there is that type. */
export type WasmModule = typeof globalThis extends {
  readonly WebAssembly: { readonly Module: { readonly prototype: infer Module } };
}
  ? Module
  : object;

/** `MessagePort` where there is that type, else that of Node's. */
export type Port = typeof globalThis extends {
  readonly MessagePort: { readonly prototype: infer Instance };
}
  ? Instance
  : object;
