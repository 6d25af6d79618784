// The earthquakes as records for a topic, and what the chart needs to know of them; knows no engine.

/** One earthquake: the columns of the stream in their order, times in ms since the Unix epoch. */
export type QuakeRow = readonly [
  id: string,
  net: string,
  type: string,
  status: string,
  mag: number,
  place: string,
  sig: number,
  lon: number,
  lat: number,
  depth: number,
  time: number,
  updated: number,
];

/** The value of a record as far as the table needs it. */
export interface QuakeValue {
  readonly net: string;
  readonly mag: number;
  readonly sig: number;
  /** Event time, ms since the Unix epoch. */
  readonly time: number;
}

/** One earthquake as a record: what is produced, and the parts of it that the page shows. */
export interface Quake {
  /** Key of the record. */
  readonly key: string;
  /** Value of the record: a JSON object. */
  readonly value: string;
  readonly net: string;
  readonly mag: number;
  readonly place: string;
  /** Event time, ms since the Unix epoch. */
  readonly timeMs: number;
  /** Time of the last revision, which stands in for arrival, ms since the Unix epoch. */
  readonly arrivalMs: number;
}

/** Loads all 1,707 in the order of their arrival. */
export async function loadQuakes(): Promise<readonly Quake[]> {
  const { default: rows } = await import('virtual:earthquakes');
  return rows.map(quakeOf);
}

function quakeOf(row: QuakeRow): Quake {
  const [key, net, type, status, mag, place, sig, lon, lat, depth, time, updated] = row;
  const value = { net, type, status, mag, place, sig, lon, lat, depth, time, updated };
  return {
    key,
    value: JSON.stringify(value),
    net,
    mag,
    place,
    timeMs: time,
    arrivalMs: updated,
  };
}
