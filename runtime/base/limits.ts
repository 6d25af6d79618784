// Every limit of millrace, named with its unit last; a limit is tested at its maximum where it is enforced.

/** Rows in one columnar batch. */
export const BATCH_ROWS_MAX = 4096;
/** Bytes of one record batch as appended and stored (1 MiB): a partition object keeps it in one SQLite row. */
export const RECORD_BATCH_BYTES_MAX = 1_048_576;
/** Bytes of one record's value. */
export const VALUE_BYTES_MAX = 921_600;
/** Bytes of one record's key. */
export const KEY_BYTES_MAX = 65_536;
/** Headers of one record, and their bytes in all. */
export const HEADERS_MAX = 64;
export const HEADERS_BYTES_MAX = 32_768;
/** Bytes of one HTTP body. */
export const BODY_BYTES_MAX = 4_194_304;
/** Bytes of one line of a file that the command line feeds. */
export const LINE_BYTES_MAX = 1_048_576;
/** Bytes of one SQL text. */
export const STATEMENT_BYTES_MAX = 65_536;
/** Syntax errors reported for one text. */
export const SYNTAX_ERRORS_MAX = 100;
/** Nesting of expressions and types in SQL. */
export const AST_DEPTH_MAX = 100;
/** Numbers that GENERATE_SERIES gives: more than one record can hold. */
export const SERIES_ITEMS_MAX = 1_048_576;
/** Columns of one source. */
export const COLUMNS_MAX = 512;
/** Digits of a DECIMAL column: what a key can hold in one length byte, with room to spare. */
export const DECIMAL_DIGITS_MAX = 255;
/** Windows that one row is in: the size of a hopping window by its advance. */
export const WINDOWS_PER_ROW_MAX = 10_000;
/** Sliding windows that one row changes: about one for each time of a row of its key within a window's size before it. */
export const SLIDING_WINDOWS_PER_ROW_MAX = 10_000;
/** Partitions of one topic. */
export const PARTITIONS_MAX = 256;
/** Characters of a topic, stream, table or query name. */
export const NAME_LENGTH_MAX = 249;
/** Nesting of a JSON value. */
export const JSON_DEPTH_MAX = 64;
/** Digits before or behind the point of a number that functions of JSON write without an exponent. */
export const JSON_NUMBER_DIGITS_MAX = 1000;
/** UTF-16 units of a text, bytes, or those of all items of a collection and 1 more each, that one call of a function makes; what a record can hold is less. */
export const TEXT_LENGTH_MAX = 4_194_304;
/** The same of what expressions make of one batch; where it is more, fewer records are taken at once. */
export const BATCH_WEIGHT_MAX = 33_554_432;
/** Compiled regular expressions that one call keeps, where patterns come from the data; beyond it all are dropped. */
export const PATTERNS_MAX = 32;
/** UTF-16 units of one regular expression. */
export const PATTERN_LENGTH_MAX = 4096;
/** Instructions that one compiles to: each may look at each character of a text. */
export const PATTERN_INSTRUCTIONS_MAX = 10_000;
/** Bytes of the kernel's linear memory (64 MiB). */
export const KERNEL_MEMORY_BYTES_MAX = 67_108_864;
/** Calls of an aggregation, for the kernel to take it. */
export const KERNEL_CALLS_MAX = 32;
/** Cells of a group's state, for the kernel to take a query: each has a bit that says whether it is null. */
export const KERNEL_CELLS_MAX = 64;
/** Windows that one row is in, for the kernel to take a query with hopping windows: its output has room for several rows. */
export const KERNEL_WINDOWS_PER_ROW_MAX = 1024;
/** Columns that the kernel decodes from one record, and the bytes of their names. */
export const JSON_COLUMNS_MAX = 64;
export const JSON_NAMES_BYTES_MAX = 8192;
/** Bytes of the linear memory of one decoder of JSON (32 MiB). */
export const JSON_MEMORY_BYTES_MAX = 33_554_432;
/** Bytes of scratch that a builder of columns, or a decoder, keeps for what comes next: what one long value has taken beyond it goes with that. */
export const SCRATCH_BYTES_MAX = 65_536;
/** Bytes by which the decoders of one isolate of the edge have grown, what they know of texts included (64 MiB); beyond it those that were used longest ago begin anew. */
export const DECODERS_GROWN_BYTES_MAX = 67_108_864;
/** Values of a column of JSON that are kept decoded, by the text that they are written in. */
export const DECODED_VALUES_MAX = 8192;
/** Bytes of decoded columns that one source keeps for tasks that have not come so far (16 MiB); beyond it the oldest go. */
export const SHARED_VALUES_BYTES_MAX = 16_777_216;
/** Entries of one kernel dictionary. */
export const DICTIONARY_ENTRIES_MAX = 1_048_576;
/** Entries of one kernel dictionary up to which it keeps keys that have no groups any more. */
export const IDLE_ENTRIES_MAX = 16_384;

/** Stored sessions that a kernel is given at once for the rows of a batch; where they need more, the row path goes on. */
export const BROUGHT_SESSIONS_MAX = 65_536;
/** Appends a task may have waiting in its outbox, and their bytes; when full, input waits. */
export const OUTBOX_APPENDS_MAX = 10_000;
export const OUTBOX_BYTES_MAX = 16_777_216;
/** Bytes and rows for a client that records taken at once may make; where they make more, fewer are taken, and one that does by itself goes to the dead-letter topic. */
export const MADE_BYTES_MAX = 134_217_728;
export const MADE_ROWS_MAX = 1_048_576;
/** Offsets of a partition within which a cache leaves all but the last change of a group out. */
export const CACHE_BLOCK_OFFSETS_MAX = 4096;
/** How long changes wait in a cache, and with them the commit: a task that is opened again has as much to do again. */
export const COMMIT_INTERVAL_MS_MAX = 30_000;
/** Bytes a task reads from one partition before it commits. */
export const FETCH_BYTES_MAX = 1_048_576;
/** Records of an internal topic that stay behind the position of its reader; beyond it half of them go. A restored reader can read them again. */
export const REPARTITION_RECORDS_MAX = 131_072;
/** Batches whose sequence a partition remembers per producer. */
export const PRODUCER_BATCHES_MAX = 64;
/** How long a partition remembers an idle producer: longer than a browser stays offline. */
export const PRODUCER_IDLE_MS_MAX = 2_592_000_000;
/** Producers that one partition remembers. */
export const PRODUCERS_MAX = 10_000;
/** Producers whose batches a partition object keeps in memory; beyond it all are read again. */
export const PRODUCERS_KEPT_MAX = 64;
/** How long a tombstone stays on a compacted topic after compaction first met it, unless the topic says otherwise. */
export const DELETE_RETENTION_MS = 86_400_000;
/** How far ahead of the edge's clock a timestamp may lie, unless its topic says otherwise: a browser's wrong clock would close open windows. */
export const TIMESTAMP_AFTER_MS_MAX = 3_600_000;
/** Batches that one turn of a partition's upkeep removes or reads, so that appends need not wait long. */
export const UPKEEP_BATCHES_MAX = 1000;
/** Bytes of a buffer in which a log in memory keeps small batches side by side, and of the first one of a partition. */
export const LOG_CHUNK_BYTES_MAX = 65_536;
export const LOG_CHUNK_BYTES_MIN = 1024;
/** Record batches that a log over IndexedDB has in memory too, of all partitions together those that were appended last, and their bytes. */
export const LOG_TAIL_BATCHES_MAX = 1024;
export const LOG_TAIL_BYTES_MAX = 4_194_304;
/** Bytes that a partition object may hold (Cloudflare: 10 GB an object), where its environment names no other limit. */
export const PARTITION_BYTES_MAX = 10_000_000_000;
/** Percent of that from which on a partition says that it is nearly full, and from which on it refuses appends: room is left to let go of records. */
export const PARTITION_NEARLY_FULL_PERCENT_MIN = 80;
export const PARTITION_FILLED_PERCENT_MAX = 95;
/** Keys that one pass of compaction holds in memory, and their bytes; what is beyond is for the next pass. */
export const CLEANER_KEYS_MAX = 65_536;
export const CLEANER_KEY_BYTES_MAX = 8_388_608;
/** Bytes of state that a host without synchronous reads keeps resident per task. */
export const RESIDENT_STATE_BYTES_MAX = 134_217_728;
/** Pages of state that a processor object keeps in memory, of 8 KiB where no value is longer, and their bytes where there are several. */
export const STATE_PAGES_KEPT_MAX = 256;
export const STATE_PAGES_KEPT_BYTES_MAX = 16_777_216;
/** Bytes of one value of state that a processor object keeps, the state of a group or a row, and of its key; a record that makes a longer one goes to the dead-letter topic. */
export const STATE_VALUE_BYTES_MAX = 16_777_216;
export const STATE_KEY_BYTES_MAX = 524_288;
/** How long a statement waits until something is so: ASSERT TOPIC, SWAP WITH (10 minutes). */
export const STATEMENT_WAIT_MS_MAX = 600_000;
/** Expired rows that one commit removes from the state of a join of streams, a side; the others follow. */
export const EXPIRED_ROWS_MAX = 10_000;
/** Bytes, roughly, of rows and keys that a join of streams has at hand after a commit (32 MiB); beyond it they are read again on demand. */
export const JOIN_ROWS_BYTES_MAX = 33_554_432;
/** The same over a store that takes blocks (256 MiB): it holds all state in memory itself, and to read it there costs more than to keep it. */
export const JOIN_ROWS_RESIDENT_BYTES_MAX = 268_435_456;
/** Bytes of state, as stored, and of keys of groups that an aggregation of the row path, windows and sessions among them, has at hand after a commit over a store of entries (64 MiB). */
export const GROUPS_BYTES_MAX = 67_108_864;
/** Bytes of rows that tables of a join, or one that is grouped or filtered, have at hand after a commit over a store of entries (64 MiB); beyond it they are read again. */
export const TABLE_ROWS_BYTES_MAX = 67_108_864;
/** The same of one of them, from which on rows that were replaced go as soon as they are more than those that were not (16 MiB). */
export const REPLACED_ROWS_BYTES_MAX = 16_777_216;
/** Rows that EMIT FINAL, or a HAVING, holds between two commits as they came; beyond, as bytes. */
export const HELD_ROWS_MAX = 262_144;
/** Rows without a partner that a join of streams keeps at hand in the order of their times; the others it reads again when they are due. */
export const WAITING_ROWS_MAX = 65_536;
/** Rows waiting for a reader of one push query; beyond it its tasks wait. */
export const PUSH_ROWS_MAX = 65_536;
/** Bytes of a record batch from which on the kernel's decoder of JSON is worth calling in pages. */
export const KERNEL_BATCH_BYTES_MIN = 512;
/** Records of one source in JSON, in such batches, that a page decodes before it fetches the kernel's decoder, which is worth its bytes only then. */
export const JSON_RECORDS_BEFORE_KERNEL_MAX = 256;
/** Batches of one query on their way from a Worker to its page, or with the page's reader. */
export const QUERY_BATCHES_MAX = 16;
/** Messages between a page and its Worker that go over as one. */
export const LINE_MESSAGES_MAX = 1024;
/** How often in a row messages that wait have left with one that followed, before they wait for it longer than a turn; and how long at most. */
export const LINE_FOLLOWED_MIN = 128;
export const LINE_WAIT_MS_MAX = 4;
/** Bytes up to which rows and records are copied with the message that they belong to; handing a buffer over costs more. */
export const COPIED_BYTES_MAX = 8192;
/** Calls of `produce` that go to the Worker as one, and bytes of records from which on no more are added. */
export const PRODUCE_CALLS_MAX = 1024;
export const PRODUCE_BYTES_MAX = 65_536;
/** Messages with such calls that are under way before the next ones wait for an answer, unless they are full or another call comes behind them. */
export const PRODUCE_UNDER_WAY_MAX = 2;
/** Tabs that one engine serves beside the one that leads. */
export const FOLLOWERS_MAX = 64;
/** How long a tab that asks to share a database waits for its leader to answer. */
export const SHARE_ANSWER_MS_MAX = 5_000;
/** Bytes of empty buffers that a Worker keeps to send its next batches in. */
export const RECYCLED_BYTES_MAX = 16_777_216;
/** Push queries that are open at one engine in a page or in Node. */
export const OPEN_PUSH_QUERIES_MAX = 1024;
/** Push queries that one isolate of the edge runs at once. */
export const PUSH_QUERIES_MAX = 256;
/** Bytes that they hold together, as far as is counted (64 MiB): their state as stored, and four times what they read, or have read, ahead of their readers. */
export const PUSH_QUERIES_HELD_BYTES_MAX = 67_108_864;
/** One that has not been heard of for so long has been dropped by the platform together with its request. */
export const PUSH_QUERY_GONE_MS = 15_000;
/** PRINTs, and pull queries over streams, that one isolate of the edge runs at once: each holds what it has read of a topic. */
export const TOPIC_READS_MAX = 32;
/** Rows of one pull query's answer. */
export const PULL_ROWS_MAX = 10_000;
/** Bytes of one pull query's answer at an edge (16 MiB): of each partition, with what its rows are ordered by, and of all together. A call between objects carries twice as many. */
export const PULL_BYTES_MAX = 16_777_216;
/** Bytes of state, as stored, that a pull query decodes before it looks which of it answers, unless one row by itself is more. */
export const PULL_FOUND_BYTES_MAX = 1_048_576;
/** Rows that one call of a processor in code emits. */
export const PROCESSOR_ROWS_MAX = 10_000;
/** Workers that the tasks of one engine are spread over. */
export const WORKERS_MAX = 16;
/** How often the Worker of a task may end before the task has done anything in it; then the query ends. */
export const WORKER_ENDS_MAX = 3;
/** Bytes of state that go to a Worker as one message, unless one entry by itself is more. */
export const STATE_PAGE_BYTES_MAX = 4_194_304;
/** Streams and tables of one catalog, and types that CREATE TYPE has named. */
export const SOURCES_MAX = 10_000;
export const TYPES_MAX = 1000;
/** Topics of one tenant of an edge, internal ones included, and the partitions of all of them. */
export const TOPICS_MAX = 10_000;
export const TOPICS_PARTITIONS_MAX = 65_536;
/** Bytes of one statement with what it makes, its plan above all, as the catalog of an edge notes it: in one row. */
export const CATALOG_ENTRY_BYTES_MAX = 1_572_864;
/** Statements whose effects may be over that a catalog of an edge keeps, or as many as there are streams, tables and queries if those are more: then what still holds is written anew. */
export const CATALOG_ENTRIES_OVER_MAX = 1000;
/** Persistent queries running at once. */
export const QUERIES_MAX = 128;
/** Entries that the processing log keeps. */
export const PROCESSING_LOG_RECORDS_MAX = 100_000;
/** Attempts at one record before it goes to the dead-letter topic. */
export const ATTEMPTS_MAX = 3;
/** Characters of a date-time pattern. */
export const DATETIME_PATTERN_LENGTH_MAX = 1024;
/** Date-time patterns kept compiled, time zones kept open, and days whose offset is remembered of each zone. */
export const DATETIME_PATTERNS_MAX = 256;
export const ZONES_MAX = 64;
export const ZONE_DAYS_MAX = 4096;
/** Values of a collected list or set, where no property says otherwise: it is kept and stored as a whole. */
export const COLLECTED_VALUES_MAX = 1000;
/** The most that a property, or n and k of EARLIEST_BY_OFFSET, LATEST_BY_OFFSET, TOPK and TOPKDISTINCT, may say: each row puts out a list. */
export const GROUP_VALUES_MAX = 10_000;
/** Keys of a histogram. */
export const HISTOGRAM_KEYS_MAX = 1000;
/** Different values of one group that ATTR tells apart. */
export const ATTR_VALUES_MAX = 1000;
/** Columns of CUBE_EXPLODE: it makes up to 2^n rows. */
export const CUBE_COLUMNS_MAX = 20;
/** Between two attempts of a client: at least, and at most; the waits grow at random in between. */
export const RETRY_WAIT_MS_MIN = 50;
export const RETRY_WAIT_MS_MAX = 30_000;
/** Tabs that wake together, or have their network back together, try again at random within this time. */
export const WAKE_MS_MAX = 1000;
/** How long a socket that was open while its page slept is waited for to answer. */
export const WOKEN_SOCKET_MS_MAX = 5000;
/** What counts against a deadline between two attempts, at most: one that is answered late and a wait. More is a machine that slept. */
export const ATTEMPT_MS_MAX = 60_000;
/** How long a client tries to have one thing done before it says that it could not. */
export const DELIVERY_MS_MAX = 120_000;
/** How long a client waits for one answer, beyond what it asked the edge to wait. */
export const REQUEST_MS_MAX = 30_000;
/** Bytes of records that one producer holds, from `send` until they are acknowledged. */
export const PRODUCER_BUFFER_BYTES_MAX = 33_554_432;
/** Calls of `send` that wait for room in a producer. */
export const PRODUCER_SENDS_MAX = 1024;
/** Records that one outbox of a client keeps on its device, and their bytes (64 MiB); those that the edge has refused count until they are settled. */
export const CLIENT_OUTBOX_RECORDS_MAX = 100_000;
export const CLIENT_OUTBOX_BYTES_MAX = 67_108_864;
/** Batches that an outbox has on their way, one a partition: beyond it partitions wait for others, whatever holds those up. */
export const CLIENT_OUTBOX_BATCHES_MAX = 64;
/** Fetches that one consumer has under way, and what it holds beyond what its reader has taken. */
export const CONSUMER_FETCHES_MAX = 4;
/** UTF-16 units of one line of an answer that a client reads: an event of rows. */
export const ANSWER_LINE_LENGTH_MAX = 16_777_216;
/** UTF-16 units of the rows that an event or a message of a socket holds, unless one row by itself is more. */
export const ANSWER_PART_LENGTH_MAX = 262_144;
/** The same of the first of a connection, so that one that is cut soon brings something too; each full one doubles what the next may hold. */
export const ANSWER_FIRST_PART_LENGTH_MAX = 4096;
/** How long an answer or a socket is silent before its client takes it for cut: three times what an edge is silent. */
export const ANSWER_SILENCE_MS_MAX = 45_000;
/** Requests a second that one key may send to one isolate of the edge, and how many at once after a pause. */
export const KEY_REQUESTS_SECOND_MAX = 1000;
export const KEY_REQUESTS_BURST_MAX = 2000;
/** Requests that one isolate of the edge has under way, those that wait for their turn included, and the bytes of their bodies. */
export const REQUESTS_IN_FLIGHT_MAX = 128;
export const REQUESTS_IN_FLIGHT_BYTES_MAX = 33_554_432;
/** One that has run for so long without an answer counts no more: the platform has dropped it, or it waits for an object. */
export const REQUEST_GONE_MS = 15_000;
/** One whose body has been on its way for so long holds none of these places any more: it is one of the slow ones, so many at once, with so many bytes. */
export const BODY_SLOW_MS = 1_000;
export const SLOW_BODIES_MAX = 256;
export const SLOW_BODIES_BYTES_MAX = 16_777_216;
/** A body is given up (408) when fewer bytes than this, or than are missing, come within so long: 13 kbit/s. */
export const BODY_STALL_BYTES_MIN = 16_384;
export const BODY_STALL_MS = 10_000;
/** Only so many are let in where another one would wait longer than this to begin. */
export const REQUEST_WAIT_MS_MAX = 500;
export const REQUESTS_IN_FLIGHT_MIN = 32;
/** None is let in behind one that has waited so long to begin, however few there are; and one that has waited so long is refused. */
export const REQUEST_STUCK_MS = 4_000;
export const REQUEST_STUCK_MS_MAX = 5_000;
/** So few of them run at once that a turn of its event loop takes no longer than this, if it can be. */
export const TURN_MS_MAX = 20;
/** The same while others are refused, whose answers pass through several turns. */
export const REFUSING_TURN_MS_MAX = 5;
/** Longer bodies of requests that are refused unread are thrown away before the answer; and so many of them at once. */
export const UNREAD_BODY_BYTES_MAX = 262_144;
export const UNREAD_BODIES_MAX = 32;
/** How long one of them is read: whoever sends slower may not see its answer. */
export const UNREAD_BODY_MS_MAX = 2_000;
/** How long a ticket opens what it is for. */
export const TICKET_MS_MAX = 30_000;
/** Keys, or addresses without one, whose requests one isolate counts. */
export const KEYS_COUNTED_MAX = 10_000;
/** UTF-16 units of a request's URL, and bytes of its headers. */
export const URL_LENGTH_MAX = 8192;
export const REQUEST_HEADERS_BYTES_MAX = 16_384;
/** Migrations that one catalog remembers. */
export const MIGRATIONS_MAX = 1000;
/** How far the clock that made a producer's id may be ahead of the edge's. */
export const PRODUCER_AHEAD_MS_MAX = 86_400_000;
/** Calls that wait at one partition for its next record. */
export const WAITERS_MAX = 10_000;
/** Timers that are set for them, each for less long than the one before it: workerd refuses more than 10,000 in one object. */
export const WAITERS_TIMERS_MAX = 100;
/** Sockets of one relay object, and relays of one tenant. */
export const RELAY_SOCKETS_MAX = 250;
export const RELAYS_MAX = 40;
/** Subscriptions of one socket: what its attachment (16 KiB) holds with the longest names. */
export const SOCKET_SUBSCRIPTIONS_MAX = 32;
/** Bytes of one message from a client, and messages of one socket in a second. */
export const SOCKET_MESSAGE_BYTES_MAX = 4096;
export const SOCKET_MESSAGES_SECOND_MAX = 1000;
/** Bytes that one subscription may be granted and not have used. */
export const SOCKET_CREDIT_BYTES_MAX = 4_194_304;
/** Bytes of one frame of records: a record batch of the greatest size and what stands before it. */
export const SOCKET_FRAME_BYTES_MAX = 1_048_608;
/** Bytes of frames that may lie unread between one relay object and its sockets (16 MiB), and of them between it and one socket: more is sent once its client has sent back an ask. */
export const RELAY_UNREAD_BYTES_MAX = 16_777_216;
export const SOCKET_UNREAD_BYTES_MAX = 1_048_608;
/** Bytes of rows that may lie unread between one isolate and its sockets of queries (16 MiB). */
export const QUERY_SOCKETS_UNREAD_BYTES_MAX = 16_777_216;
/** Bytes of the first frame that a client asks for when it goes on after a cut, and what may be on its way to it; doubles with each frame. */
export const SOCKET_RESUMED_BYTES_MAX = 1024;
/** How long records wait for credit before their socket is closed. */
export const SOCKET_STALL_MS = 30_000;
/** How long a socket of records keeps its place for nothing, without a subscription and without a message or a ping, once others want it. */
export const SOCKET_IDLE_MS = 60_000;
/** Queries of one socket at once, and rows that one of them may be granted and not have sent. */
export const SOCKET_QUERIES_MAX = 16;
export const SOCKET_CREDIT_ROWS_MAX = 65_536;
/** Rows that a client lets one query send ahead of its reader, and how long it leaves what waits unread before it has the edge stop. */
export const SOCKET_WINDOW_ROWS_MAX = 2048;
export const SOCKET_PARK_MS = 20_000;
/** Rows that one query may send ahead of its reader when it goes on after a cut; doubles each time that rows are granted again. */
export const SOCKET_RESUMED_ROWS_MAX = 16;
/** Appends that wait at one partition for a transaction, and their bytes. */
export const APPENDS_WAITING_MAX = 256;
export const APPENDS_WAITING_BYTES_MAX = 8_388_608;
/** Bytes of batches that a partition brings along when it tells a task, or a relay, that there is more; and of how many partitions one keeps them. */
export const HINT_BYTES_MAX = 65_536;
export const HINTS_KEPT_MAX = 16;
/** Bytes of one page of record batches that a reader may ask for (4 MiB). */
export const PAGE_BYTES_MAX = 4_194_304;
/** Bytes of pages longer than 128 KiB that one isolate of the edge holds for readers who have not taken them (32 MiB); as they become more pages get shorter. */
export const PAGES_HELD_BYTES_MAX = 33_554_432;
/** Bytes of other answers that one isolate holds for readers who have not taken them (64 MiB), and how long one of which nothing is taken is held. */
export const ANSWERS_HELD_BYTES_MAX = 67_108_864;
export const ANSWER_STALL_MS = 30_000;
/** Bytes of batches that one who waits for a record is brought, though there may be no room: many are woken at once. What is longer is read once there is room, or refused when there has been none for so long. */
export const WOKEN_FETCH_BYTES_MAX = 65_536;
export const ANSWER_ROOM_WAIT_MS_MAX = 2_000;
/** Spans of offsets that a partition knows as checked. */
export const CHECKED_SPANS_MAX = 64;
/** Appends of several requests that go to one partition in one call, their bytes, and how long one waits for a call of another request. */
export const APPEND_GROUP_APPENDS_MAX = 128;
export const APPEND_GROUP_BYTES_MAX = 4_194_304;
export const APPEND_GROUP_WAIT_MS_MAX = 30_000;
/** Ids of objects of one kind that an isolate keeps by their names; beyond it all are dropped. */
export const OBJECT_IDS_KEPT_MAX = 1000;
/** Calls to other objects after which a task leaves what is left to its next event: Cloudflare refuses those beyond 1,000 (Workers Free) or 10,000 of one event. */
export const SLICE_CALLS_MAX = 500;
/** Tasks that a catalog wakes in one event of its sweep, for the same reason; the others follow in the next ones. */
export const SWEPT_TASKS_MAX = 256;
/** Partitions and tasks on one page of /metrics, how many an edge asks at a time, and how long /metrics waits for one. */
export const METRICS_OBJECTS_MAX = 256;
export const OBJECTS_ASKED_MAX = 16;
export const METRICS_WAIT_MS_MAX = 5000;
/** Samples of one page of /metrics, and those of requests that one isolate counts. */
export const METRICS_SAMPLES_MAX = 20_000;
export const METRICS_REQUEST_SERIES_MAX = 2000;
