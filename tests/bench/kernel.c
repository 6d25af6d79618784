/* The kernel suite's work in C: COUNT, SUM, MIN, MAX, AVG per minute and key over columns of the file named. Each line on its input
   ("ids rows", "keys listed") is answered by one run: a checksum and its milliseconds. Memory and known keys stay from run to run. Knows nothing of millrace. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PANES = 16, PAGE = 4096, CACHE_BYTES = 1 << 20, AHEAD = 16 };
static const double SIZE = 60000, GRACE = 10000;

/* One line of the cache. `stamp`: the last batch that touched it; before the pane's first one it is another window's. */
typedef struct {
  _Alignas(64) double rowtime;
  double sum, min, max;
  uint64_t count, stamp;
} Group;

typedef struct {
  double start;
  uint64_t first;
  Group *groups;
  int used;
} Pane;

typedef struct {
  uint32_t rows, key_bytes;
  const uint32_t *ids, *offsets;
  const double *rowtime, *value;
  const char *keys;
} Batch;

typedef struct {
  const char *key;
  uint32_t length;
  char bytes[20];
} Entry;

static uint32_t batches, rows_max, key_count;
static Batch *input;
static Batch names;

/* Outputs of a batch, which the next one overwrites. */
static Group **out_group;
static uint32_t *out_row, *out_id, *ids, *hashes;
static uint8_t *out_op;
static double *out_window, *out_rowtime, *out_sum, *out_min, *out_max, *out_average;
static uint64_t *out_count;

static Pane panes[PANES];
static uint64_t stamp;
static double now;

/* The dictionary: places of hash and id, entries in pages that stay where they are. */
static uint64_t *table;
static uint32_t table_mask, entries;
static Entry **pages;

static void *need(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) exit(3);
  memset(memory, 0, (bytes + 63) / 64 * 64);
  return memory;
}

static void dictionary_open(void) {
  table_mask = 2047;
  table = need((table_mask + 1) * sizeof *table);
}

static void dictionary_grow(void) {
  uint32_t mask = table_mask * 2 + 1;
  uint64_t *larger = need(((size_t)mask + 1) * sizeof *larger);
  for (uint32_t at = 0; at <= table_mask; at++) {
    if (table[at] == 0) continue;
    uint32_t place = (uint32_t)(table[at] >> 32) & mask;
    while (larger[place] != 0) place = (place + 1) & mask;
    larger[place] = table[at];
  }
  free(table);
  table = larger;
  table_mask = mask;
}

static inline uint32_t hash_of(const char *key, uint32_t length) {
  uint64_t hash = length * 0x9e3779b97f4a7c15u;
  uint64_t part;
  while (length >= 8) {
    memcpy(&part, key, 8);
    hash = (hash ^ part) * 0x9fb21c651e98df25u;
    hash ^= hash >> 32;
    key += 8, length -= 8;
  }
  part = 0;
  memcpy(&part, key, length);
  hash = (hash ^ part) * 0x9fb21c651e98df25u;
  return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t id_of(const char *key, uint32_t length, uint32_t hash) {
  for (uint32_t place = hash & table_mask;; place = (place + 1) & table_mask) {
    uint64_t found = table[place];
    if (found == 0) {
      uint32_t id = entries++;
      if (pages[id / PAGE] == NULL) pages[id / PAGE] = need(PAGE * sizeof(Entry));
      Entry *entry = &pages[id / PAGE][id % PAGE];
      entry->length = length;
      if (length > sizeof entry->bytes) entry->key = key;
      else memcpy(entry->bytes, key, length);
      table[place] = (uint64_t)hash << 32 | (id + 1);
      if (entries * 2 > table_mask) dictionary_grow();
      return id;
    }
    if ((uint32_t)(found >> 32) != hash) continue;
    uint32_t id = (uint32_t)found - 1;
    const Entry *entry = &pages[id / PAGE][id % PAGE];
    const char *known = entry->length > sizeof entry->bytes ? entry->key : entry->bytes;
    if (entry->length == length && memcmp(known, key, length) == 0) return id;
  }
}

static const uint32_t *intern(const Batch *batch) {
  const uint32_t *offsets = batch->offsets;
  for (uint32_t i = 0; i < batch->rows; i++) {
    hashes[i] = hash_of(batch->keys + offsets[i], offsets[i + 1] - offsets[i]);
    __builtin_prefetch(&table[hashes[i] & table_mask]);
  }
  for (uint32_t i = 0; i < batch->rows; i++)
    ids[i] = id_of(batch->keys + offsets[i], offsets[i + 1] - offsets[i], hashes[i]);
  return ids;
}

/* The pane of a window. Those that have closed stay as they are until the run ends: nobody has taken what changed in them. */
static Pane *pane_of(double start) {
  Pane *free_pane = NULL;
  for (int p = 0; p < PANES; p++) {
    if (panes[p].used && panes[p].start == start) return &panes[p];
    if (!panes[p].used && (free_pane == NULL || panes[p].groups != NULL)) free_pane = &panes[p];
  }
  if (free_pane == NULL) exit(4);
  if (free_pane->groups == NULL) free_pane->groups = need((size_t)key_count * sizeof(Group));
  free_pane->start = start;
  free_pane->first = stamp;
  free_pane->used = 1;
  return free_pane;
}

static inline void put(uint32_t at, const Group *group) {
  out_rowtime[at] = group->rowtime;
  out_count[at] = group->count;
  out_sum[at] = group->sum;
  out_min[at] = group->min;
  out_max[at] = group->max;
  out_average[at] = group->sum / (double)group->count;
}

static inline __attribute__((always_inline)) uint32_t fold(const Batch *batch, const uint32_t *id, int per_row, int far) {
  const Pane *pane = NULL;
  double start = INFINITY, end = -INFINITY, latest = now;
  uint64_t first = 0, here = ++stamp;
  Group *groups = NULL;
  uint32_t n = 0, rows = batch->rows;
  for (uint32_t i = 0; i < rows; i++) {
    double time = batch->rowtime[i], x = batch->value[i];
    if (time > latest) latest = time;
    if (time < start || time >= end) {
      start = floor(time / SIZE) * SIZE;
      end = start + SIZE;
      if (end <= latest - GRACE) {
        start = INFINITY, end = -INFINITY;
        continue;
      }
      pane = pane_of(start);
      groups = pane->groups;
      first = pane->first;
    } else if (end <= latest - GRACE) continue;
    if (far && groups != NULL && i + AHEAD < rows) __builtin_prefetch(&groups[id[i + AHEAD]], 1);
    Group *group = &groups[id[i]];
    uint64_t touched = group->stamp;
    if (touched < first) *group = (Group){.rowtime = time, .min = INFINITY, .max = -INFINITY};
    group->count += 1;
    group->sum += x;
    group->min = x < group->min ? x : group->min;
    group->max = x > group->max ? x : group->max;
    group->rowtime = time > group->rowtime ? time : group->rowtime;
    group->stamp = here;
    out_group[n] = group;
    out_id[n] = id[i];
    out_window[n] = start;
    out_op[n] = touched < first;
    if (per_row) {
      out_row[n] = i;
      put(n, group);
      n++;
    } else n += touched != here;
  }
  now = latest;
  return n;
}

static double run(int by_keys, int results, int per_row) {
  double sum = 0;
  int far = (size_t)key_count * sizeof(Group) > CACHE_BYTES;
  for (uint32_t b = 0; b < batches; b++) {
    const Batch *batch = &input[b];
    const uint32_t *id = by_keys ? intern(batch) : batch->ids;
    uint32_t n = per_row ? (far ? fold(batch, id, 1, 1) : fold(batch, id, 1, 0))
                         : (far ? fold(batch, id, 0, 1) : fold(batch, id, 0, 0));
    if (results)
      for (uint32_t j = 0; j < n; j++) put(j, out_group[j]);
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
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(2);
  size_t length = (size_t)ftell(file);
  rewind(file);
  char *at = need(length);
  if (fread(at, 1, length, file) != length) exit(2);
  fclose(file);
  uint32_t *head = (uint32_t *)at;
  batches = head[0], rows_max = head[1], key_count = head[2];
  input = need(batches * sizeof *input);
  names.rows = key_count;
  at += 16;
  names.offsets = (uint32_t *)at, at += (((size_t)key_count + 1) * 4 + 7) / 8 * 8;
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
  out_group = need(rows_max * 8), out_row = need(rows_max * 4), out_id = need(rows_max * 4), out_op = need(rows_max);
  out_window = need(rows_max * 8), out_rowtime = need(rows_max * 8), out_count = need(rows_max * 8);
  out_sum = need(rows_max * 8), out_min = need(rows_max * 8), out_max = need(rows_max * 8), out_average = need(rows_max * 8);
  ids = need(rows_max * 4), hashes = need(rows_max * 4);
  pages = need((key_count / PAGE + 1) * sizeof *pages);
  dictionary_open();
  for (uint32_t i = 0; i < key_count; i++) {
    const char *key = names.keys + names.offsets[i];
    uint32_t length = names.offsets[i + 1] - names.offsets[i];
    if (id_of(key, length, hash_of(key, length)) != i) exit(5);
  }
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    for (int p = 0; p < PANES; p++) panes[p].used = 0;
    now = -INFINITY;
    double begun = ms();
    double sum = run(strstr(line, "keys") != NULL, strstr(line, "results") != NULL, strstr(line, "rows") != NULL);
    double taken = ms() - begun;
    printf("%.17g %.6f\n", sum, taken);
    fflush(stdout);
  }
  return 0;
}
