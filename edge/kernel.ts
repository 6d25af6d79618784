// The compiled kernel, as the bundler hands it to a Worker: imported, never compiled at run time.

export { default as kernel } from '../build/kernel.wasm';
