// Numbers that the host and the JSON decoder agree on; engine-asm/assembly/json-abi.ts is its twin, line by line. Knows no code.

// Bounds of one decoder.
export const JSON_COLUMNS_MAX = 64;
export const JSON_ROWS_MAX = 4096;
export const JSON_REGION_BYTES_MAX = 131072;
export const JSON_NAMES_BYTES_MAX = 8192;
export const JSON_NESTING_MAX = 64;
export const JSON_STRING_BYTES_MAX = 65536;
export const JSON_ENTRIES_MAX = 32768;
export const JSON_STRINGS_BYTES_MAX = 4194304;

// Types of columns. A STRUCT has no values: other columns are its fields. From STRING on they are texts: a string, and of ANY whatever
// value there is as the text that it is written in.
export const JSON_TYPE_DOUBLE = 1;
export const JSON_TYPE_BIGINT = 2;
export const JSON_TYPE_INTEGER = 3;
export const JSON_TYPE_TIME = 4;
export const JSON_TYPE_TIMESTAMP = 5;
export const JSON_TYPE_BOOLEAN = 6;
export const JSON_TYPE_STRUCT = 7;
export const JSON_TYPE_STRING = 8;
export const JSON_TYPE_ANY = 9;

// Spellings of names that the host has told the meaning of, and their bytes.
export const JSON_SPELLINGS_MAX = 64;
export const JSON_SPELLINGS_BYTES_MAX = 8192;

// What became of a record: its columns hold it, it is null as a whole, or (from 2 on) it was not decided, and why.
export const JSON_OK = 0;
export const JSON_NULL = 1;
export const JSON_DECLINED_SYNTAX = 2;
export const JSON_DECLINED_NAME = 3;
export const JSON_DECLINED_KIND = 4;
export const JSON_DECLINED_NUMBER = 5;
export const JSON_DECLINED_DUPLICATE = 6;
export const JSON_DECLINED_LONG = 7;
export const JSON_DECLINED_FULL = 8;

// Lengths of records that are none: a null value, and one that was too long to hand over.
export const JSON_LENGTH_NULL = -1;
export const JSON_LENGTH_LONG = -2;

// Offsets in the configuration (JSON_BUFFER_CONFIG), written by the host before `jsonInit`. Parents: by column the STRUCT before it that
// it is a field of, plus 1; 0: it is a member of the record.
export const JSON_CONFIG_COLUMNS = 0;
export const JSON_CONFIG_TYPES = 8;
export const JSON_CONFIG_NAME_LENGTHS = 264;
export const JSON_CONFIG_PARENTS = 520;
export const JSON_CONFIG_NAMES = 776;
export const JSON_CONFIG_BYTES = 8968;

// Offsets in the result (JSON_BUFFER_RESULT): records by status; where in the region a name stands that the last `jsonDecode`
// did not know, its bytes (0: it knew all) and its parent, as in the configuration; nulls, texts of the
// chunk, entries known and their generation by column.
export const JSON_RESULT_STATUSES = 0;
export const JSON_RESULT_NAME = 48;
export const JSON_RESULT_NAME_LENGTH = 52;
export const JSON_RESULT_NAME_PARENT = 56;
export const JSON_RESULT_NULLS = 64;
export const JSON_RESULT_TEXTS = 320;
export const JSON_RESULT_GENERATIONS = 576;
export const JSON_RESULT_ENTRIES = 832;
export const JSON_RESULT_BYTES = 1088;

// Buffers: `jsonBuffer(kind, index)` gives the address; that of a JSON_BUFFER_TEXT changes as it grows. TEXT and
// TEXT_ENDS: the entries known, one after the other, and where each ends; TEXT_ENTRIES: by code of the chunk the number of its entry.
export const JSON_BUFFER_CONFIG = 0;
export const JSON_BUFFER_RESULT = 1;
export const JSON_BUFFER_REGION = 2;
export const JSON_BUFFER_LENGTHS = 3;
export const JSON_BUFFER_STATUS = 4;
export const JSON_BUFFER_VALUES = 5;
export const JSON_BUFFER_VALIDITY = 6;
export const JSON_BUFFER_TEXT = 7;
export const JSON_BUFFER_TEXT_ENDS = 8;
export const JSON_BUFFER_TEXT_ENTRIES = 9;
