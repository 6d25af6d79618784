/* kernel.c as a program over the events of the file named: each line on its input ("ids rows", "keys listed") is answered by one run, a
   checksum and its milliseconds. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel.c"

static uint32_t batches;
static Batch *input, names;

static void fail(int code) { exit(code); }

static void leave(void *memory) { free(memory); }

static void *need(uint64_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) fail(3);
  memset(memory, 0, (bytes + 63) / 64 * 64);
  return memory;
}

static double run(int by_keys, int results, int per_row) {
  double sum = 0;
  begin();
  for (uint32_t b = 0; b < batches; b++) {
    uint32_t n = step(&input[b], by_keys, results, per_row);
    sum += n;
    if ((per_row || results) && n > 0) sum += out_sum[n - 1];
  }
  return sum;
}

static double ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* The file: batches, rows of the longest, keys; the keys in the order of their ids, as a batch without columns; per batch its rows and bytes of keys, then its columns, each in whole eight bytes. */
static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == 0 || fseek(file, 0, SEEK_END) != 0) exit(2);
  size_t length = (size_t)ftell(file);
  rewind(file);
  char *at = need(length + 8);
  if (fread(at, 1, length, file) != length) exit(2);
  fclose(file);
  uint32_t *head = (uint32_t *)at;
  batches = head[0], rows_max = head[1], key_count = head[2];
  input = need(batches * sizeof *input);
  names.rows = key_count;
  at += 16;
  names.offsets = (uint32_t *)at, at += (((uint64_t)key_count + 1) * 4 + 7) / 8 * 8;
  names.keys = at, at += (names.offsets[key_count] + 7) / 8 * 8;
  for (uint32_t b = 0; b < batches; b++) {
    Batch *batch = &input[b];
    uint32_t rows = batch->rows = ((uint32_t *)at)[0];
    batch->key_bytes = ((uint32_t *)at)[1];
    at += 8;
    batch->rowtime = (double *)at, at += rows * 8;
    batch->value = (double *)at, at += rows * 8;
    batch->ids = (uint32_t *)at, at += (rows * 4 + 7) / 8 * 8;
    batch->offsets = (uint32_t *)at, at += ((rows + 1) * 4 + 7) / 8 * 8;
    batch->keys = at, at += (batch->key_bytes + 7) / 8 * 8;
  }
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  load(arguments[1]);
  open_outputs();
  open_keys(&names);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    double begun = ms();
    double sum = run(strstr(line, "keys") != NULL, strstr(line, "results") != NULL, strstr(line, "rows") != NULL);
    double taken = ms() - begun;
    printf("%.17g %.6f\n", sum, taken);
    fflush(stdout);
  }
  return 0;
}
