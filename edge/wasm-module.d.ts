// How the Workers bundler types an imported WebAssembly file: as a compiled module.
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
