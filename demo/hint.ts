// Tells in words which earthquake a mark of the chart is; knows no engine.

import type { Chart } from './chart.ts';
import { element, setText } from './dom.ts';
import { magnitudeText, momentText, spanText } from './format.ts';
import type { Quake } from './quakes.ts';
import type { Verdict } from './verdicts.ts';

const INVITATION = 'Point at a mark to read it.';

export interface HintOptions {
  readonly chart: Chart;
  readonly quakes: readonly Quake[];
  /** How many have arrived. */
  readonly arrived: () => number;
  readonly verdictOf: (index: number) => Verdict;
}

/** Watches the pointer over the chart, from here on. */
export function showHints({ chart, quakes, arrived, verdictOf }: HintOptions): void {
  const canvas = element('chart', HTMLCanvasElement);
  const hint = element('hint', HTMLElement);
  const show = ({ offsetX, offsetY }: PointerEvent): void => {
    const index = chart.indexAt(offsetX, offsetY, arrived());
    const quake = index === null ? undefined : quakes[index];
    setText(
      hint,
      index === null || quake === undefined ? INVITATION : hintOf(quake, verdictOf(index)),
    );
  };
  setText(hint, INVITATION);
  canvas.addEventListener('pointermove', show);
  canvas.addEventListener('pointerdown', show);
  canvas.addEventListener('pointerleave', () => setText(hint, INVITATION));
}

const ENDS: Readonly<Record<Verdict, string>> = {
  pending: '.',
  counted: ': counted.',
  late: ': its window was closed.',
};

function hintOf({ mag, place, net, timeMs, arrivalMs }: Quake, verdict: Verdict): string {
  const what = `Magnitude ${magnitudeText(mag)}, ${place} (${net})`;
  const when = `${momentText(timeMs)}, arrived ${spanText(arrivalMs - timeMs)} later`;
  return `${what}. ${when}${ENDS[verdict]}`;
}
