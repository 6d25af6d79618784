// The earthquakes of vega-datasets as records, and the changes they must make, recounted without any of millrace; pure, the data is passed in.

/** What earthquakes.json holds, as far as it is used. */
export interface EarthquakesFile {
  readonly features: readonly {
    readonly id: string;
    readonly properties: Readonly<Record<string, string | number | null>>;
    readonly geometry: { readonly coordinates: readonly number[] };
  }[];
}

/** One earthquake as a record: its key, and its value as a JSON object. */
export interface QuakeRecord {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | null>>;
}

/** One change of the table, with its value columns as JSON text. */
export interface QuakeChange {
  readonly key: string;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly value: string;
  readonly rowtime: number;
}

export const QUAKES_STREAM = `CREATE STREAM quakes (id STRING KEY, net STRING, type STRING, status STRING, mag DOUBLE,
  place STRING, sig INT, lon DOUBLE, lat DOUBLE, depth DOUBLE, time BIGINT, updated BIGINT)
  WITH (KAFKA_TOPIC='quakes', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='time');`;

export const QUAKES_TABLE = `CREATE TABLE quakes_per_hour AS
  SELECT net, COUNT(*) AS n, MAX(mag) AS strongest, SUM(sig) AS significance
  FROM quakes WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 6 HOURS) GROUP BY net EMIT CHANGES;`;

/** The stream over four partitions; the table's query then goes over an internal topic of four. */
export const QUAKES_STREAM_OF_FOUR = QUAKES_STREAM.replace('PARTITIONS=1', 'PARTITIONS=4');

/** What independent recounts gave for a grace of 6 hours. */
export const QUAKES_EXPECTED = { records: 1707, late: 736, changes: 971, rows: 556 };

/** Late records by grace in hours. */
export const QUAKES_LATE_BY_GRACE: readonly (readonly [hours: number, late: number])[] = [
  [0, 1160],
  [1, 1010],
  [6, 736],
  [24, 311],
  [48, 136],
];

/**
 * The records in the order of their arrival. `updated` is the time of the last revision and stands in for arrival; equal times keep the
 * file's order.
 */
export function quakeRecords(file: EarthquakesFile): readonly QuakeRecord[] {
  const records = file.features.map(({ id, properties, geometry }): QuakeRecord => {
    const { net, type, status, mag, place, sig, time, updated } = properties;
    const [lon, lat, depth] = geometry.coordinates;
    const value = { net, type, status, mag, place, sig, lon, lat, depth, time, updated };
    return { key: id, value: value as QuakeRecord['value'] };
  });
  return records.sort((a, b) => Number(a.value['updated']) - Number(b.value['updated']));
}

const HOUR_MS = 3_600_000;

/** The expected changes, in order, and how many records are late: twenty lines that know nothing of streams, batches or SQL. */
export function recountQuakes(
  records: readonly QuakeRecord[],
  graceMs: number = 6 * HOUR_MS,
): { readonly changes: readonly QuakeChange[]; readonly late: number } {
  const groups = new Map<
    string,
    { n: number; strongest: number | null; significance: number | null; rowtime: number }
  >();
  const changes: QuakeChange[] = [];
  let now = -Infinity;
  let late = 0;
  for (const { value } of records) {
    const rowtime = Number(value['time']);
    const windowStart = rowtime - (rowtime % HOUR_MS);
    now = Math.max(now, rowtime);
    if (windowStart + HOUR_MS <= now - graceMs) {
      late += 1;
      continue;
    }
    const key = String(value['net']);
    const id = `${windowStart} ${key}`;
    const group = groups.get(id) ?? { n: 0, strongest: null, significance: null, rowtime: 0 };
    groups.set(id, group);
    const { mag, sig } = value;
    group.n += 1;
    if (typeof mag === 'number') group.strongest = Math.max(group.strongest ?? mag, mag);
    if (typeof sig === 'number') group.significance = (group.significance ?? 0) + sig;
    group.rowtime = Math.max(group.rowtime, rowtime);
    const text = `{"N":${group.n},"STRONGEST":${doubleText(group.strongest)},"SIGNIFICANCE":${group.significance}}`;
    changes.push({
      key,
      windowStart,
      windowEnd: windowStart + HOUR_MS,
      value: text,
      rowtime: group.rowtime,
    });
  }
  return { changes, late };
}

/** A DOUBLE as JSON writes it here: always with a point, as Java spells it. Magnitudes are between 0.001 and 10 million. */
function doubleText(value: number | null): string {
  return value === null || !Number.isInteger(value) ? String(value) : `${value}.0`;
}

/** The table that changes leave behind: the last change of each key and window. */
export function tableOf(changes: readonly QuakeChange[]): ReadonlyMap<string, QuakeChange> {
  return new Map(changes.map((change) => [`${change.key} ${change.windowStart}`, change]));
}

/** What one partition of the table holds. */
export interface QuakePartition {
  readonly changes: readonly QuakeChange[];
  readonly late: number;
}

/** Records that are fed together over four partitions. */
const PIECE_RECORDS = 427;

/**
 * The records cut into pieces for four partitions: each lies within one of them. Fed in this order, each when all work on the one before is
 * done, they reach the internal topic in this order wherever they are fed, though four tasks write to it.
 */
export function quakePieces(records: readonly QuakeRecord[]): readonly (readonly QuakeRecord[])[] {
  const pieces: (readonly QuakeRecord[])[] = [];
  for (let from = 0; from < records.length; from += PIECE_RECORDS) {
    const arrived = records.slice(from, from + PIECE_RECORDS);
    for (let partition = 0; partition < 4; partition++) {
      pieces.push(arrived.filter(({ key }) => quakePartition(key) === partition));
    }
  }
  return pieces.filter((piece) => piece.length > 0);
}

/** The expected changes of each partition of the table, from records in the order of `quakePieces`. */
export function recountPartitions(records: readonly QuakeRecord[]): readonly QuakePartition[] {
  const order = quakePieces(records).flat();
  return [0, 1, 2, 3].map((partition) =>
    recountQuakes(order.filter(({ value }) => quakePartition(String(value['net'])) === partition)),
  );
}

/** The partition of four that Kafka's default partitioner gives to a key in ASCII: MurmurHash2, the sign bit cleared. */
export function quakePartition(key: string): number {
  const M = 0x5bd1e995;
  const byte = (at: number): number => key.charCodeAt(at);
  let hash = 0x9747b28c ^ key.length;
  let at = 0;
  for (; at + 4 <= key.length; at += 4) {
    let word = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    word = Math.imul(word, M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = key.length - at;
  if (rest > 2) hash ^= byte(at + 2) << 16;
  if (rest > 1) hash ^= byte(at + 1) << 8;
  if (rest > 0) hash = Math.imul(hash ^ byte(at), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return ((hash ^ (hash >>> 15)) & 0x7fffffff) % 4;
}
