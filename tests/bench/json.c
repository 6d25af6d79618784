/* The same work in C: events as lines of JSON, checked whole, to COUNT, SUM, MIN, MAX and AVG per minute and key, a row of results
   per event, or with `groups` one for each changed group of 4,096 events. Reads the file named, answers each line on its input by one run: a checksum. Knows nothing of millrace. */
#include <emmintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096, DEPTH = 64 };
static const double SIZE = 60000, GRACE = 10000;
static const uint64_t WHOLE_TENS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
static const double TENS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static const uint8_t *space(const uint8_t *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return at;
}

static int tail(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/* Behind UTF-8 of two to four bytes, or null. */
static const uint8_t *sequence(const uint8_t *at) {
  uint8_t lead = at[0], next = at[1];
  if (lead < 0xc2 || lead > 0xf4 || !tail(next)) return NULL;
  if (lead <= 0xdf) return at + 2;
  if (!tail(at[2])) return NULL;
  if (lead <= 0xef) return (lead == 0xe0 && next < 0xa0) || (lead == 0xed && next >= 0xa0) ? NULL : at + 3;
  if (!tail(at[3])) return NULL;
  return (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next >= 0x90) ? NULL : at + 4;
}

static int is_hex(uint8_t byte) { return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'f'); }

/* Behind what is neither a plain character nor the closing quote, or null. */
static __attribute__((noinline)) const uint8_t *special(const uint8_t *at, int *escaped) {
  if (*at >= 0x80) return sequence(at);
  if (*at != '\\') return NULL;
  *escaped = 1;
  if (at[1] == 'u') return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]) ? at + 6 : NULL;
  return at[1] == 0 || strchr("\"\\/bfnrt", at[1]) == NULL ? NULL : at + 2;
}

/* From behind the opening quote to the closing one, or null. */
static inline const uint8_t *string_end(const uint8_t *at, int *escaped) {
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(32);
  *escaped = 0;
  for (;;) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)), _mm_cmplt_epi8(bytes, low)));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += __builtin_ctz(found);
    if (*at == '"') return at;
    at = special(at, escaped);
    if (at == NULL) return NULL;
  }
}

/* Behind digits, eight at a time; their value is taken up into `whole`, which is of no use beyond 19 of them. */
static inline const uint8_t *digits(const uint8_t *at, uint64_t *whole) {
  for (;;) {
    uint64_t part;
    memcpy(&part, at, 8);
    part ^= 0x3030303030303030u;
    uint64_t others = (part | (part + 0x0606060606060606u)) & 0xf0f0f0f0f0f0f0f0u;
    int count = others == 0 ? 8 : __builtin_ctzll(others) >> 3;
    if (count == 0) return at;
    part <<= 64 - count * 8;
    part = (part * 10 + (part >> 8)) & 0x00ff00ff00ff00ffu;
    part = (part * 100 + (part >> 16)) & 0x0000ffff0000ffffu;
    *whole = *whole * WHOLE_TENS[count] + (uint32_t)(part * 10000 + (part >> 32));
    at += count;
    if (count < 8) return at;
  }
}

/* A number of the grammar; exact up to 15 digits, else by strtod. */
static inline const uint8_t *number(const uint8_t *at, double *value) {
  const uint8_t *from = at;
  int negative = *at == '-', scale = 0, exponent = 0;
  uint64_t whole = 0;
  at += negative;
  const uint8_t *first = at;
  at = digits(at, &whole);
  int count = (int)(at - first);
  if (count == 0 || (count > 1 && *first == '0')) return NULL;
  if (*at == '.') {
    const uint8_t *point = at;
    at = digits(at + 1, &whole);
    scale = (int)(at - point - 1);
    if (scale == 0) return NULL;
  }
  if ((*at | 32) == 'e') {
    uint64_t ignored = 0;
    exponent = 1;
    at++;
    if (*at == '-' || *at == '+') at++;
    const uint8_t *power = at;
    at = digits(at, &ignored);
    if (at == power) return NULL;
  }
  if (exponent || count + scale > 15) *value = strtod((const char *)from, NULL);
  else {
    double number = (double)whole / TENS[scale];
    *value = negative ? -number : number;
  }
  return at;
}

static inline const uint8_t *word(const uint8_t *at) {
  uint32_t four, yes, none, no;
  memcpy(&four, at, 4), memcpy(&yes, "true", 4), memcpy(&none, "null", 4), memcpy(&no, "fals", 4);
  if (four == yes || four == none) return at + 4;
  return four == no && at[4] == 'e' ? at + 5 : NULL;
}

static inline int is_number(uint8_t first) { return first == '-' || (first >= '0' && first <= '9'); }

static inline const uint8_t *string_value(const uint8_t *at) {
  int escaped;
  at = string_end(at + 1, &escaped);
  return at == NULL ? NULL : at + 1;
}

/* Behind any value, or null. */
static const uint8_t *value_end(const uint8_t *at, int depth) {
  int escaped;
  double ignored;
  if (*at == '"') return string_value(at);
  if (*at != '{' && *at != '[') return is_number(*at) ? number(at, &ignored) : word(at);
  if (depth == DEPTH) return NULL;
  uint8_t open = *at, close = open == '{' ? '}' : ']';
  at = space(at + 1);
  if (*at == close) return at + 1;
  for (;;) {
    if (open == '{') {
      if (*at != '"') return NULL;
      at = string_end(at + 1, &escaped);
      if (at == NULL) return NULL;
      at = space(at + 1);
      if (*at != ':') return NULL;
      at = space(at + 1);
    }
    at = value_end(at, depth + 1);
    if (at == NULL) return NULL;
    at = space(at);
    if (*at == close) return at + 1;
    if (*at != ',') return NULL;
    at = space(at + 1);
  }
}

/* Keys to dense codes. */
typedef struct { uint32_t hash, code, length; const uint8_t *at; } Key;
static Key *keys;
static uint32_t key_count, key_mask;

static uint32_t code_of(const uint8_t *at, uint32_t length) {
  uint64_t hash = length * 0xd6e8feb86659fd93u;
  uint32_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t part;
    memcpy(&part, at + i, 8);
    hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  for (; i < length; i++) hash = (hash ^ at[i]) * 0x9e3779b97f4a7c15u;
  uint32_t short_hash = (uint32_t)(hash >> 32);
  for (uint32_t place = short_hash & key_mask;; place = (place + 1) & key_mask) {
    Key *key = &keys[place];
    if (key->at == NULL) {
      *key = (Key){short_hash, key_count++, length, at};
      return key->code;
    }
    if (key->hash == short_hash && key->length == length && memcmp(key->at, at, length) == 0) return key->code;
  }
}

/* Dense codes index each open window's table directly. */
typedef struct { double rowtime, count, sum, min, max, batch; } Slot;
typedef struct { double start; Slot *slots; uint32_t room; } Pane;
static Pane panes[8];
static uint32_t rows_code[ROWS];
static double rows_start[ROWS], rows_time[ROWS], rows_count[ROWS], rows_sum[ROWS], rows_min[ROWS], rows_max[ROWS], rows_mean[ROWS];

/* Rows of the batch so far, and in whose table each is: tables move when they grow. */
static uint32_t row;
static Pane *touched[ROWS];

static void put_out(uint32_t row, const Slot *slot) {
  rows_time[row] = slot->rowtime;
  rows_count[row] = slot->count;
  rows_sum[row] = slot->sum;
  rows_min[row] = slot->min;
  rows_max[row] = slot->max;
  rows_mean[row] = slot->sum / slot->count;
}

/* The changed groups of a pane, or of all. */
static void put_out_groups(const Pane *pane) {
  for (uint32_t i = 0; i < row; i++) {
    if (touched[i] == NULL || (pane != NULL && touched[i] != pane)) continue;
    put_out(i, &touched[i]->slots[rows_code[i]]);
    touched[i] = NULL;
  }
}

static Pane *pane_of(double start, uint32_t code, double stream_time, int groups) {
  Pane *free_pane = NULL;
  for (int i = 0; i < 8; i++) {
    Pane *pane = &panes[i];
    if (pane->start == start) {
      if (code >= pane->room) {
        uint32_t room = pane->room * 2 > code + 1 ? pane->room * 2 : code + 1;
        pane->slots = realloc(pane->slots, room * sizeof(Slot));
        memset(pane->slots + pane->room, 0, (room - pane->room) * sizeof(Slot));
        pane->room = room;
      }
      return pane;
    }
    if (pane->start < 0 || pane->start + SIZE <= stream_time - GRACE) free_pane = pane;
  }
  if (groups) put_out_groups(free_pane);
  free_pane->start = start;
  memset(free_pane->slots, 0, free_pane->room * sizeof(Slot));
  return pane_of(start, code, stream_time, groups);
}

/* What stood before the value of each member in the last event, from the quote of its name to the colon; and which member that is. */
enum { MEMBERS = 16, OTHER = 0, KEY, VALUE, TIME };
typedef struct { __m128i bytes; uint32_t mask, length; int member; } Name;
static Name names[MEMBERS];

/* Behind a name and its colon, or null; what fits in sixteen bytes is learnt. */
static __attribute__((noinline)) const uint8_t *name_end(const uint8_t *at, Name *learnt, int *member) {
  int escaped;
  if (*at != '"') return NULL;
  const uint8_t *name = at + 1, *last = string_end(name, &escaped);
  if (last == NULL || escaped) return NULL;
  const uint8_t *end = space(last + 1);
  if (*end != ':') return NULL;
  *member = last - name == 1 && *name == 'k' ? KEY : last - name == 1 && *name == 'x' ? VALUE : last - name == 2 && name[0] == 't' && name[1] == 's' ? TIME : OTHER;
  uint32_t length = (uint32_t)(end + 1 - at);
  if (learnt != NULL && length <= 16) *learnt = (Name){_mm_loadu_si128((const __m128i *)at), (1u << length) - 1, length, *member};
  return end + 1;
}

/* One event at `at`, which ends at `end`; 0 when it is not one. */
static inline int event(const uint8_t *at, const uint8_t *end, const uint8_t **key, uint32_t *length, double *ts, double *x) {
  int escaped, member;
  double ignored;
  at = space(at);
  if (*at != '{') return 0;
  at = space(at + 1);
  for (uint32_t i = 0;; i++) {
    Name *name = i < MEMBERS ? &names[i] : NULL;
    uint32_t same = name == NULL ? 0 : (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), name->bytes));
    if (name != NULL && name->mask != 0 && (same & name->mask) == name->mask) {
      at += name->length;
      member = name->member;
    } else if ((at = name_end(at, name, &member)) == NULL) return 0;
    at = space(at);
    if (member == KEY && *at == '"') {
      *key = at + 1;
      at = string_end(at + 1, &escaped);
      if (at == NULL || escaped) return 0;
      *length = (uint32_t)(at - *key);
      at++;
    } else if (member == VALUE) at = number(at, x);
    else if (member == TIME) at = number(at, ts);
    else if (*at == '"') at = string_value(at);
    else if (is_number(*at)) at = number(at, &ignored);
    else at = value_end(at, 1);
    if (at == NULL) return 0;
    at = space(at);
    if (*at == '}') return space(at + 1) == end;
    if (*at != ',') return 0;
    at = space(at + 1);
  }
}

static double run(const uint8_t *data, size_t size, int groups) {
  double checksum = 0, stream_time = -INFINITY, batch = 1;
  uint32_t events = 0;
  row = 0;
  memset(keys, 0, (key_mask + 1) * sizeof(Key));
  key_count = 0;
  for (int i = 0; i < 8; i++) panes[i].start = -1;
  for (const uint8_t *at = data; at < data + size;) {
    const uint8_t *end = memchr(at, '\n', data + size - at);
    const uint8_t *key = NULL;
    uint32_t length = 0;
    double ts = 0, x = 0;
    if (!event(at, end + 1, &key, &length, &ts, &x) && !event(at, end, &key, &length, &ts, &x)) exit(3);
    at = end + 1;
    if (ts > stream_time) stream_time = ts;
    double start = floor(ts / SIZE) * SIZE;
    if (start + SIZE <= stream_time - GRACE) continue;
    uint32_t code = code_of(key, length);
    Pane *pane = pane_of(start, code, stream_time, groups);
    Slot *slot = &pane->slots[code];
    slot->min = slot->count == 0 || x < slot->min ? x : slot->min;
    slot->max = slot->count == 0 || x > slot->max ? x : slot->max;
    slot->count++;
    slot->sum += x;
    slot->rowtime = ts > slot->rowtime ? ts : slot->rowtime;
    if (!groups || slot->batch != batch) {
      slot->batch = batch;
      rows_code[row] = code;
      rows_start[row] = start;
      if (groups) touched[row] = pane;
      else put_out(row, slot);
      row++;
    }
    if (++events == ROWS) {
      if (groups) put_out_groups(NULL);
      checksum += rows_sum[row - 1] + row;
      row = events = 0;
      batch++;
    }
  }
  return checksum;
}

int main(int count, char **arguments) {
  FILE *file = count >= 2 ? fopen(arguments[1], "rb") : NULL;
  if (file == NULL) return 2;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = calloc(size + 64, 1);
  if (fread(data, 1, size, file) != size) return 2;
  key_mask = (1u << 18) - 1;
  keys = calloc(key_mask + 1, sizeof(Key));
  for (int i = 0; i < 8; i++) panes[i].slots = calloc(panes[i].room = 1024, sizeof(Slot));
  char line[16];
  while (fgets(line, sizeof line, stdin) != NULL) {
    printf("%.17g\n", run(data, size, count == 3));
    fflush(stdout);
  }
  return 0;
}
