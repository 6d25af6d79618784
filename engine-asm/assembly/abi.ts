// Numbers that the host and the kernel agree on; runtime/kernel/abi.ts is its twin, line by line. Knows no code.

/** Raised whenever a line below changes its meaning. */
export const ABI_VERSION = 11;

// Status codes: what every call returns. Negative means refused; the state stays consistent.
export const STATUS_OK = 0;
export const STATUS_BAD_CONFIG = -1;
export const STATUS_BAD_ARGUMENT = -2;
export const STATUS_OUT_OF_MEMORY = -3;
export const STATUS_DICTIONARY_FULL = -4;
export const STATUS_BAD_STATE = -5;
export const STATUS_NOT_READY = -6;

// Bounds of one instance.
export const ROWS_MAX = 65536;
export const ARGUMENTS_MAX = 32;
export const AGGREGATES_MAX = 32;
export const STATE_ROWS_MAX = 1024;
export const ROWTIME_MAX = 9007199254740991;
export const OFFSET_MAX = 9007199254740990;

// A group id that stands for a null group key: the row is ignored and stream time stays.
export const ID_NULL = 4294967295;

// Aggregate functions.
export const FUNCTION_COUNT = 1;
export const FUNCTION_SUM = 2;
export const FUNCTION_MIN = 3;
export const FUNCTION_MAX = 4;
export const FUNCTION_AVG = 5;
// These only whole kernels have.
export const FUNCTION_EARLIEST = 6;
export const FUNCTION_LATEST = 7;
export const FUNCTION_STDDEV_SAMP = 8;
export const FUNCTION_STDDEV_SAMPLE = 9;
export const ARGUMENT_NONE = 4294967295;

// Types of argument columns.
export const TYPE_I32 = 1;
export const TYPE_I64 = 2;
export const TYPE_F64 = 3;

// What a batch puts out: a row per accepted row, or each changed group once.
export const OUTPUT_ROWS = 1;
export const OUTPUT_GROUPS = 2;
// As OUTPUT_ROWS, of rows of a table, which have operations. Only whole kernels have it.
export const OUTPUT_CHANGES = 3;

// Operations of the rows put out; as in runtime/data/batch.ts.
export const OP_INSERT = 0;
export const OP_UPDATE_BEFORE = 1;
export const OP_UPDATE_AFTER = 2;
export const OP_DELETE = 3;

// Offsets in the configuration (BUFFER_CONFIG), written by the host before `init`.
export const CONFIG_SIZE_MS = 0;
export const CONFIG_GRACE_MS = 8;
export const CONFIG_ROWS_MAX = 16;
export const CONFIG_ENTRIES_MAX = 20;
export const CONFIG_OUTPUT = 24;
export const CONFIG_SEED = 28;
export const CONFIG_ARGUMENTS = 32;
export const CONFIG_AGGREGATES = 36;
export const CONFIG_ARGUMENT_TYPES = 40;
export const CONFIG_CALLS = 168;
export const CONFIG_ADVANCE_MS = 424;
export const CONFIG_BYTES = 432;

// Offsets in the result (BUFFER_RESULT), written by `probe`, `process`, `collect` and `restore`.
export const RESULT_CONSUMED = 0;
export const RESULT_EMITTED = 4;
export const RESULT_LATE = 8;
export const RESULT_INVALID = 12;
export const RESULT_NULLS = 16;
// 0: the rowtime of each row put out is its own.
export const RESULT_RISEN = 144;
// Of sessions: how many rows put out are tombstones, or how many sessions the store is to remove.
export const RESULT_GONE = 144;
export const RESULT_BYTES = 148;

// Offsets in state bytes: one group of one window. The cells follow, 8 bytes each.
export const STATE_ROWTIME = 0;
export const STATE_PRESENT = 8;
export const STATE_CELLS = 16;

// Buffers: `buffer(kind, index)` gives the address; it never moves, save BUFFER_KEYS at `reserveKeys`.
export const BUFFER_CONFIG = 0;
export const BUFFER_RESULT = 1;
export const BUFFER_KEYS = 2;
export const BUFFER_KEY_OFFSETS = 3;
export const BUFFER_IDS = 4;
export const BUFFER_SELECTION = 5;
export const BUFFER_ROWTIME = 6;
export const BUFFER_ARGUMENT = 7;
export const BUFFER_VALIDITY = 8;
export const BUFFER_OUT_ROW = 9;
export const BUFFER_OUT_ID = 10;
export const BUFFER_OUT_WINDOW = 11;
export const BUFFER_OUT_ROWTIME = 12;
export const BUFFER_OUT_OP = 13;
export const BUFFER_OUT_VALUE = 14;
export const BUFFER_OUT_VALIDITY = 15;
export const BUFFER_OUT_LATE = 16;
export const BUFFER_STATES = 17;
export const BUFFER_OUT_LATE_WINDOWS = 18;
export const BUFFER_ENTRY_IDS = 19;
export const BUFFER_OUT_BOUNDS = 20;
export const BUFFER_OPERATIONS = 21;

// Numbers about the instance: `stat(kind)`.
export const STAT_ENTRIES = 0;
export const STAT_PANES = 1;
export const STAT_GROUPS = 2;
// Of sessions: as `stored` of `openSessions`.
export const STAT_STORED_MS = 3;
