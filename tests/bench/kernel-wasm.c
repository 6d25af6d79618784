/* kernel.c as a module for WebAssembly: a host copies a batch's columns into `column(i)`, and `fold_batch` says how many rows it puts out.
   Memory is taken from behind the data and never given back. */
#include "kernel.c"

#define EXPORT(name) __attribute__((export_name(#name)))

extern char __heap_base;
static uint64_t top;
static Batch batch, names;

static void fail(int code) {
  (void)code;
  __builtin_trap();
}

static void leave(void *memory) { (void)memory; }

static void *need(uint64_t bytes) {
  if (top == 0) top = ((uint64_t)(uint32_t)&__heap_base + 63) / 64 * 64;
  uint64_t at = top;
  top = at + (bytes + 63) / 64 * 64;
  uint64_t pages_now = __builtin_wasm_memory_size(0), pages_then = (top + 65535) / 65536;
  if (pages_then > pages_now && __builtin_wasm_memory_grow(0, (uint32_t)(pages_then - pages_now)) == (uint32_t)-1) fail(3);
  return (void *)(uint32_t)at;
}

/* Room for the keys in the order of their ids, to be filled by the host: offsets, then bytes. */
EXPORT(names_at) uint32_t names_at(uint32_t keys, uint32_t bytes) {
  key_count = names.rows = keys;
  names.offsets = need((keys + 1) * 4ull + 8);
  names.keys = need(bytes + 8ull);
  return (uint32_t)names.offsets;
}

EXPORT(name_bytes_at) uint32_t name_bytes_at(void) { return (uint32_t)names.keys; }

/* Once the keys stand there: makes room for batches of so many rows and bytes of keys. */
EXPORT(open_kernel) void open_kernel(uint32_t rows, uint32_t key_bytes) {
  rows_max = rows;
  open_outputs();
  open_keys(&names);
  batch.rowtime = need(rows * 8), batch.value = need(rows * 8), batch.ids = need(rows * 4);
  batch.offsets = need((rows + 1) * 4), batch.keys = need(key_bytes + 8);
}

EXPORT(begin_run) void begin_run(void) { begin(); }

/* Rowtimes, values, ids, offsets of keys, bytes of keys. */
EXPORT(column) uint32_t column(uint32_t i) {
  const void *const columns[] = {batch.rowtime, batch.value, batch.ids, batch.offsets, batch.keys};
  return (uint32_t)columns[i];
}

/* Rows, ids, windows, operations, rowtimes, counts, sums, least, greatest, means. */
EXPORT(output) uint32_t output(uint32_t i) {
  const void *const columns[] = {out_row, out_id, out_window, out_op, out_rowtime, out_count, out_sum, out_min, out_max, out_average};
  return (uint32_t)columns[i];
}

EXPORT(fold_batch) uint32_t fold_batch(uint32_t rows, int by_keys, int results, int per_row) {
  batch.rows = rows;
  return step(&batch, by_keys, results, per_row);
}
