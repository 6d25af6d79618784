// What the bundler makes of an imported kernel: a compiled module.

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
