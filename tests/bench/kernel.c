/* The kernel suite's work in C: COUNT, SUM, MIN, MAX, AVG per minute and key over columns; memory and known keys stay from run to run.
   kernel-native.c makes a program of it, kernel-wasm.c a module for WebAssembly: so it asks for no library. Knows nothing of millrace. */
#include <stdint.h>

enum { PANES = 16, PAGE = 4096, CACHE_BYTES = 1 << 20, AHEAD = 16, INLINE = 24 };
static const double SIZE = 60000, GRACE = 10000, NEVER = __builtin_inf();

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

/* A key of at most INLINE bytes, filled up with zeros; a longer one stands elsewhere. */
typedef struct {
  const char *key;
  uint32_t length;
  uint64_t bytes[INLINE / 8];
} Entry;

static uint32_t rows_max, key_count;

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

/* Zeros on a line of the cache, from who includes this. */
static void *need(uint64_t bytes);
static void leave(void *memory);
static void fail(int code);

static void dictionary_open(void) {
  table_mask = 2047;
  table = need((table_mask + 1) * sizeof *table);
}

static void dictionary_grow(void) {
  uint32_t mask = table_mask * 2 + 1;
  uint64_t *larger = need(((uint64_t)mask + 1) * sizeof *larger);
  for (uint32_t at = 0; at <= table_mask; at++) {
    if (table[at] == 0) continue;
    uint32_t place = (uint32_t)(table[at] >> 32) & mask;
    while (larger[place] != 0) place = (place + 1) & mask;
    larger[place] = table[at];
  }
  leave(table);
  table = larger;
  table_mask = mask;
}

/* Eight bytes that need not be aligned. */
static inline uint64_t word_at(const char *key) {
  uint64_t word;
  __builtin_memcpy(&word, key, 8);
  return word;
}

/* The last `length` < 8 bytes, above them zeros. Eight bytes may be read: whatever holds keys goes on for as many. */
static inline uint64_t rest_at(const char *key, uint32_t length) { return word_at(key) & ((1ull << length * 8) - 1); }

static inline uint32_t hash_of(const char *key, uint32_t length) {
  uint64_t hash = length * 0x9e3779b97f4a7c15u;
  for (; length >= 8; key += 8, length -= 8) {
    hash = (hash ^ word_at(key)) * 0x9fb21c651e98df25u;
    hash ^= hash >> 32;
  }
  hash = (hash ^ rest_at(key, length)) * 0x9fb21c651e98df25u;
  return (uint32_t)(hash ^ hash >> 32);
}

static inline int same(const Entry *entry, const char *key, uint32_t length) {
  if (entry->length != length) return 0;
  const char *known = length > INLINE ? entry->key : (const char *)entry->bytes;
  for (; length >= 8; key += 8, known += 8, length -= 8)
    if (word_at(key) != word_at(known)) return 0;
  return rest_at(key, length) == rest_at(known, length);
}

static uint32_t entry_of(const char *key, uint32_t length) {
  uint32_t id = entries++;
  if (pages[id / PAGE] == 0) pages[id / PAGE] = need(PAGE * sizeof(Entry));
  Entry *entry = &pages[id / PAGE][id % PAGE];
  entry->length = length;
  if (length > INLINE) entry->key = key;
  else for (uint32_t at = 0; at < length; at++) ((char *)entry->bytes)[at] = key[at];
  return id;
}

static uint32_t id_of(const char *key, uint32_t length, uint32_t hash) {
  for (uint32_t place = hash & table_mask;; place = (place + 1) & table_mask) {
    uint64_t found = table[place];
    if (found == 0) {
      uint32_t id = entry_of(key, length);
      table[place] = (uint64_t)hash << 32 | (id + 1);
      if (entries * 2 > table_mask) dictionary_grow();
      return id;
    }
    uint32_t id = (uint32_t)found - 1;
    if ((uint32_t)(found >> 32) == hash && same(&pages[id / PAGE][id % PAGE], key, length)) return id;
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
  Pane *free_pane = 0;
  for (int p = 0; p < PANES; p++) {
    if (panes[p].used && panes[p].start == start) return &panes[p];
    if (!panes[p].used && (free_pane == 0 || panes[p].groups != 0)) free_pane = &panes[p];
  }
  if (free_pane == 0) fail(4);
  if (free_pane->groups == 0) free_pane->groups = need((uint64_t)key_count * sizeof(Group));
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
  const Pane *pane = 0;
  double start = NEVER, end = -NEVER, latest = now;
  uint64_t first = 0, here = ++stamp;
  Group *groups = 0;
  uint32_t n = 0, rows = batch->rows;
  for (uint32_t i = 0; i < rows; i++) {
    double time = batch->rowtime[i], x = batch->value[i];
    if (time > latest) latest = time;
    if (time < start || time >= end) {
      start = __builtin_floor(time / SIZE) * SIZE;
      end = start + SIZE;
      if (end <= latest - GRACE) {
        start = NEVER, end = -NEVER;
        continue;
      }
      pane = pane_of(start);
      groups = pane->groups;
      first = pane->first;
    } else if (end <= latest - GRACE) continue;
    if (far && groups != 0 && i + AHEAD < rows) __builtin_prefetch(&groups[id[i + AHEAD]], 1);
    Group *group = &groups[id[i]];
    uint64_t touched = group->stamp;
    if (touched < first) *group = (Group){.rowtime = time, .min = NEVER, .max = -NEVER};
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

/* Keys in the order of their ids. */
static void open_keys(const Batch *names) {
  pages = need((key_count / PAGE + 1) * sizeof *pages);
  dictionary_open();
  for (uint32_t i = 0; i < key_count; i++) {
    const char *key = names->keys + names->offsets[i];
    uint32_t length = names->offsets[i + 1] - names->offsets[i];
    if (id_of(key, length, hash_of(key, length)) != i) fail(5);
  }
}

static void open_outputs(void) {
  out_group = need(rows_max * sizeof *out_group), out_row = need(rows_max * 4), out_id = need(rows_max * 4), out_op = need(rows_max);
  out_window = need(rows_max * 8), out_rowtime = need(rows_max * 8), out_count = need(rows_max * 8);
  out_sum = need(rows_max * 8), out_min = need(rows_max * 8), out_max = need(rows_max * 8), out_average = need(rows_max * 8);
  ids = need(rows_max * 4), hashes = need(rows_max * 4);
}

static void begin(void) {
  for (int p = 0; p < PANES; p++) panes[p].used = 0;
  now = -NEVER;
}

/* How many rows a batch puts out. */
static uint32_t step(const Batch *batch, int by_keys, int results, int per_row) {
  int far = (uint64_t)key_count * sizeof(Group) > CACHE_BYTES;
  const uint32_t *id = by_keys ? intern(batch) : batch->ids;
  uint32_t n = per_row ? (far ? fold(batch, id, 1, 1) : fold(batch, id, 1, 0))
                       : (far ? fold(batch, id, 0, 1) : fold(batch, id, 0, 0));
  if (results)
    for (uint32_t j = 0; j < n; j++) put(j, out_group[j]);
  return n;
}
