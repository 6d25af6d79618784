// The English texts of date-time patterns; knows no patterns.

const split = (texts: string): readonly string[] => texts.split('|');

export const MONTHS_LONG = split(
  'January|February|March|April|May|June|July|August|September|October|November|December',
);
export const MONTHS_SHORT = MONTHS_LONG.map((name) => name.slice(0, 3));
export const MONTHS_NARROW = MONTHS_LONG.map((name) => name.slice(0, 1));

/** From Monday. */
export const DAYS_LONG = split('Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday');
export const DAYS_SHORT = DAYS_LONG.map((name) => name.slice(0, 3));
export const DAYS_NARROW = DAYS_LONG.map((name) => name.slice(0, 1));

export const QUARTERS_LONG = split('1st quarter|2nd quarter|3rd quarter|4th quarter');
export const QUARTERS_SHORT = split('Q1|Q2|Q3|Q4');
export const QUARTERS_NARROW = split('1|2|3|4');

export const ERAS_LONG = split('Before Christ|Anno Domini');
export const ERAS_SHORT = split('BC|AD');
export const ERAS_NARROW = split('B|A');

/** The halves of a day. */
export const HALVES = split('AM|PM');
