// The picture of event time against arrival: each earthquake a mark, stream time a line, the open windows a band; knows no engine.

import { stillness } from './dom.ts';
import { DAY_MS, dayText, HOUR_MS, timeText } from './format.ts';
import type { Quake } from './quakes.ts';
import type { Verdict } from './verdicts.ts';

/** What is to be drawn. */
export interface ChartState {
  /** Records that the engine has taken in: the line of stream time ends with the last of them. */
  readonly taken: number;
  /** Records that have arrived. */
  readonly arrived: number;
  /** Time of arrival that the replay has reached, ms since the Unix epoch. */
  readonly nowMs: number;
  readonly graceMs: number;
  readonly verdictOf: (index: number) => Verdict;
}

/** Radius of a mark, in CSS pixels: the first ones are large, and many are small. */
const MARK = { first: 3.2, wide: 1.9, narrow: 1.4 };
/** How many marks are many. */
const MARKS_MANY = 400;
/** The axes show at least so much, and grow as the replay goes on, so that what is new is never small. */
const SPAN_MS_MIN = 18 * HOUR_MS;
/** Room after the present, as a share of what lies before it. */
const AHEAD = 0.03;
/** Distances of grid lines, of which the first that gives few enough lines is taken. */
const GRID_MS: readonly number[] = [3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 2 * DAY_MS];
const GRID_LINES_MAX = { wide: 8, narrow: 5 };
/** Below this width the chart is narrow. */
const NARROW = 440;
/** How far from a mark one may point to mean it, in CSS pixels. */
const REACH = 12;
/** Margins around the plot, in CSS pixels. */
const MARGIN = { left: 52, right: 10, top: 26, bottom: 42 };
/** How long a new mark keeps its ring. */
const RING_MS = 700;
/** Rings at once: at high speed there would be nothing else to see. */
const RINGS_MAX = 40;

interface Colours {
  readonly ink: string;
  readonly grid: string;
  readonly counted: string;
  readonly late: string;
  readonly time: string;
  readonly band: string;
}

export class Chart {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #quakes: readonly Quake[];
  /** Stream time after each record. */
  readonly #streamTimes: readonly number[];
  readonly #fromMs: number;
  /** What the axes showed last ends here. */
  #toMs: number;
  #colours: Colours;
  /** Read when it changes: a canvas that is asked for it, or given a font, has the page bring all its styles up to date first. */
  #size = { width: 0, height: 0 };
  #rings: { readonly index: number; readonly sinceMs: number }[] = [];
  #seen = 0;

  constructor(canvas: HTMLCanvasElement, quakes: readonly Quake[], onStale: () => void) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser draws on no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#quakes = quakes;
    let streamTimeMs = -Infinity;
    this.#streamTimes = quakes.map(({ timeMs }) => (streamTimeMs = Math.max(streamTimeMs, timeMs)));
    this.#fromMs = Math.min(...quakes.map(({ timeMs }) => timeMs)) - 2 * HOUR_MS;
    this.#toMs = this.#fromMs + SPAN_MS_MIN;
    this.#colours = coloursOf(canvas);
    new ResizeObserver(() => {
      this.#fit();
      onStale();
    }).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#colours = coloursOf(canvas);
      onStale();
    });
    this.#fit();
  }

  /** Stream time after the first `records` records; null before the first. */
  streamTimeMs(records: number): number | null {
    return this.#streamTimes[records - 1] ?? null;
  }

  /** Draws everything. @returns true when something is still fading and another frame is wanted */
  draw(state: ChartState, frameMs: number): boolean {
    const context = this.#context;
    const { width, height } = this.#size;
    context.clearRect(0, 0, width, height);
    const passedMs = state.nowMs - this.#fromMs;
    this.#toMs = this.#fromMs + Math.max(SPAN_MS_MIN, passedMs * (1 + AHEAD));
    this.#drawGrid();
    this.#drawBand(state);
    this.#drawMarks(state);
    this.#drawNow(state);
    return this.#drawRings(state, frameMs);
  }

  /** The earthquake whose mark is nearest to a place on the canvas, of those that have arrived; null when none is near. */
  indexAt(x: number, y: number, arrived: number): number | null {
    let nearest: number | null = null;
    let nearestReach = REACH;
    for (let i = 0; i < arrived; i++) {
      const [atX, atY] = this.#at(i);
      const reach = Math.hypot(atX - x, atY - y);
      if (reach > nearestReach) continue;
      nearest = i;
      nearestReach = reach;
    }
    return nearest;
  }

  /** As many pixels as the screen has for it. */
  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#size = { width, height };
    const ratio = globalThis.devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.font = `11px ${getComputedStyle(this.#canvas).fontFamily}`;
  }

  #x(ms: number): number {
    const span = this.#size.width - MARGIN.left - MARGIN.right;
    const share = (ms - this.#fromMs) / (this.#toMs - this.#fromMs);
    return MARGIN.left + Math.max(0, share) * span;
  }

  #y(ms: number): number {
    const span = this.#size.height - MARGIN.top - MARGIN.bottom;
    const share = (ms - this.#fromMs) / (this.#toMs - this.#fromMs);
    return this.#size.height - MARGIN.bottom - Math.max(0, share) * span;
  }

  #drawGrid(): void {
    const context = this.#context;
    const { width, height } = this.#size;
    context.strokeStyle = this.#colours.grid;
    context.fillStyle = this.#colours.ink;
    context.lineWidth = 1;
    const linesMax = width < NARROW ? GRID_LINES_MAX.narrow : GRID_LINES_MAX.wide;
    const spanMs = this.#toMs - this.#fromMs;
    const stepMs = GRID_MS.find((ms) => spanMs / ms <= linesMax) ?? 2 * DAY_MS;
    context.beginPath();
    const firstMs = Math.ceil(this.#fromMs / stepMs) * stepMs;
    for (let ms = firstMs; ms <= this.#toMs; ms += stepMs) {
      const x = Math.round(this.#x(ms)) + 0.5;
      const y = Math.round(this.#y(ms)) + 0.5;
      const text = ms % DAY_MS === 0 ? dayText(ms) : timeText(ms);
      context.moveTo(x, MARGIN.top);
      context.lineTo(x, height - MARGIN.bottom);
      context.moveTo(MARGIN.left, y);
      context.lineTo(width - MARGIN.right, y);
      context.textAlign = 'center';
      context.textBaseline = 'top';
      context.fillText(text, x, height - MARGIN.bottom + 7);
      context.textAlign = 'right';
      context.textBaseline = 'middle';
      context.fillText(text, MARGIN.left - 8, y);
    }
    context.moveTo(this.#x(this.#fromMs), this.#y(this.#fromMs));
    context.lineTo(this.#x(this.#toMs), this.#y(this.#toMs));
    context.stroke();
    this.#drawNames();
  }

  #drawNames(): void {
    const context = this.#context;
    const { width, height } = this.#size;
    context.fillStyle = this.#colours.ink;
    context.textAlign = 'left';
    context.textBaseline = 'top';
    context.fillText('↑ arrived', MARGIN.left, 4);
    context.textAlign = 'right';
    context.textBaseline = 'bottom';
    context.fillText('happened →', width - MARGIN.right, height - 2);
  }

  /** From the end of the last closed window to stream time, at each arrival so far: two staircases and what is between. */
  #drawBand({ taken, nowMs, graceMs }: ChartState): void {
    if (taken === 0) return;
    const context = this.#context;
    const paths = { streamTime: new Path2D(), band: new Path2D() };
    const left: [x: number, y: number][] = [];
    for (let i = 0; i < taken; i++) {
      const streamTimeMs = this.#streamTimes[i] ?? 0;
      const bottom = this.#y(this.#quakes[i]?.arrivalMs ?? 0);
      const top = this.#y(i + 1 < taken ? (this.#quakes[i + 1]?.arrivalMs ?? 0) : nowMs);
      const x = this.#x(streamTimeMs);
      const closedMs = streamTimeMs - graceMs;
      const xClosed = this.#x(closedMs - (closedMs % HOUR_MS));
      for (const path of [paths.streamTime, paths.band]) {
        if (i === 0) path.moveTo(x, bottom);
        path.lineTo(x, bottom);
        path.lineTo(x, top);
      }
      left.push([xClosed, bottom], [xClosed, top]);
    }
    for (const [x, y] of left.reverse()) paths.band.lineTo(x, y);
    paths.band.closePath();
    context.fillStyle = this.#colours.band;
    context.fill(paths.band);
    context.strokeStyle = this.#colours.time;
    context.lineWidth = 1.5;
    context.stroke(paths.streamTime);
  }

  #drawMarks({ arrived, verdictOf }: ChartState): void {
    const context = this.#context;
    const { counted, late, ink } = this.#colours;
    const radius = this.#radius(arrived);
    const paths = { counted: new Path2D(), late: new Path2D(), pending: new Path2D() };
    for (let i = 0; i < arrived; i++) {
      const [x, y] = this.#at(i);
      const verdict = verdictOf(i);
      const path = paths[verdict];
      if (verdict === 'late') {
        path.moveTo(x - radius, y - radius);
        path.lineTo(x + radius, y + radius);
        path.moveTo(x + radius, y - radius);
        path.lineTo(x - radius, y + radius);
      } else {
        path.moveTo(x + radius, y);
        path.arc(x, y, radius, 0, 2 * Math.PI);
      }
    }
    context.lineWidth = 1.1;
    context.strokeStyle = late;
    context.stroke(paths.late);
    context.fillStyle = counted;
    context.fill(paths.counted);
    context.strokeStyle = ink;
    context.stroke(paths.pending);
  }

  #radius(marks: number): number {
    const last = this.#size.width < NARROW ? MARK.narrow : MARK.wide;
    return MARK.first + (last - MARK.first) * Math.min(1, marks / MARKS_MANY);
  }

  #drawNow({ taken, nowMs }: ChartState): void {
    const streamTimeMs = this.streamTimeMs(taken);
    if (streamTimeMs === null) return;
    const context = this.#context;
    const y = this.#y(nowMs);
    context.strokeStyle = this.#colours.ink;
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(MARGIN.left, y);
    context.lineTo(this.#size.width - MARGIN.right, y);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = this.#colours.time;
    context.beginPath();
    context.arc(this.#x(streamTimeMs), y, 3.5, 0, 2 * Math.PI);
    context.fill();
  }

  #drawRings({ arrived, verdictOf }: ChartState, frameMs: number): boolean {
    if (arrived < this.#seen) this.#rings = [];
    for (let index = this.#seen; index < arrived; index++) {
      this.#rings.push({ index, sinceMs: frameMs });
    }
    this.#seen = arrived;
    this.#rings = stillness.matches
      ? []
      : this.#rings.filter(({ sinceMs }) => frameMs - sinceMs < RING_MS).slice(-RINGS_MAX);
    const context = this.#context;
    context.lineWidth = 1.5;
    for (const { index, sinceMs } of this.#rings) {
      const share = (frameMs - sinceMs) / RING_MS;
      const [x, y] = this.#at(index);
      context.globalAlpha = 1 - share;
      context.strokeStyle =
        verdictOf(index) === 'late' ? this.#colours.late : this.#colours.counted;
      context.beginPath();
      context.arc(x, y, 3 + 9 * share, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
    return this.#rings.length > 0;
  }

  #at(index: number): readonly [x: number, y: number] {
    const quake = this.#quakes[index];
    return [this.#x(quake?.timeMs ?? 0), this.#y(quake?.arrivalMs ?? 0)];
  }
}

function coloursOf(canvas: HTMLCanvasElement): Colours {
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour('quiet'),
    grid: colour('line'),
    counted: colour('accent'),
    late: colour('late'),
    time: colour('ink'),
    band: colour('band'),
  };
}
