// A clock for a page whose thread must not spin while it waits: a message every so many milliseconds until it is terminated; knows no suite.

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

addEventListener('message', ({ data }: MessageEvent<number>) => {
  for (;;) {
    Atomics.wait(never, 0, 0, data);
    postMessage(null);
  }
});
