// Numbers and times as the page writes them: English, UTC; pure.

const COUNT = new Intl.NumberFormat('en');
const MAGNITUDE = new Intl.NumberFormat('en', {
  minimumFractionDigits: 1,
  maximumFractionDigits: 2,
});
const HOUR = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const MOMENT = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });

const TIME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  hour: '2-digit',
  minute: '2-digit',
});

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function countText(count: number): string {
  return COUNT.format(count);
}

/** `1 row`, `2 rows`. */
export function countedText(count: number, one: string): string {
  return `${countText(count)} ${one}${count === 1 ? '' : 's'}`;
}

export function magnitudeText(magnitude: number): string {
  return MAGNITUDE.format(magnitude);
}

/** `31 Jan, 14:00` */
export function hourText(ms: number): string {
  return HOUR.format(ms);
}

/** `31 Jan, 14:00:59 UTC` */
export function momentText(ms: number): string {
  return `${MOMENT.format(ms)} UTC`;
}

/** `31 Jan` */
export function dayText(ms: number): string {
  return DAY.format(ms);
}

/** `06:00` */
export function timeText(ms: number): string {
  return TIME.format(ms);
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [HOUR_MS, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** A span in its largest whole unit: `90 minutes` becomes `1.5 hours`. */
export function spanText(ms: number): string {
  const [unitMs, name] = UNITS.find(([unitMs]) => ms >= unitMs) ?? [1000, 'second'];
  return countedText(Math.round((ms / unitMs) * 10) / 10, name);
}
