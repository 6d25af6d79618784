// The controls of the replay: play, restart, speed and grace; knows no engine.

import { element, setText } from './dom.ts';
import { countText, spanText } from './format.ts';

/** About five a decade, so that each step of the slider is a step one sees; with it an hour, a minute, ten minutes a second. */
const SPEEDS: readonly number[] = [
  1, 2, 4, 6, 10, 20, 36, 60, 100, 200, 360, 600, 1000, 2000, 3600, 6000, 10_000, 20_000, 36_000,
  60_000, 100_000,
];
/** An hour a second: each second closes a window, and the seven days take three minutes. */
const SPEED_FIRST = 3600;

export interface ControlsEvents {
  readonly onPlay: () => void;
  readonly onRestart: () => void;
  readonly onSpeed: (speed: number) => void;
  readonly onGrace: (hours: number) => void;
  readonly onCheck: () => void;
}

export type PlayState = 'playing' | 'paused' | 'ended';

const PLAY_TEXTS: Readonly<Record<PlayState, string>> = {
  playing: 'Pause',
  paused: 'Play',
  ended: 'Play again',
};

export class Controls {
  readonly #play = element('play', HTMLButtonElement);
  readonly #restart = element('restart', HTMLButtonElement);
  readonly #speed = element('speed', HTMLInputElement);
  readonly #speedText = element('speed-text', HTMLOutputElement);
  readonly #grace = element('grace', HTMLSelectElement);
  readonly #check = element('check', HTMLButtonElement);

  constructor(events: ControlsEvents) {
    this.#speed.min = '0';
    this.#speed.max = String(SPEEDS.length - 1);
    this.#speed.step = '1';
    this.#speed.value = String(SPEEDS.indexOf(SPEED_FIRST));
    this.#showSpeed();
    this.#play.addEventListener('click', events.onPlay);
    this.#restart.addEventListener('click', events.onRestart);
    this.#check.addEventListener('click', events.onCheck);
    this.#grace.addEventListener('change', () => events.onGrace(this.graceHours));
    this.#speed.addEventListener('input', () => {
      this.#showSpeed();
      events.onSpeed(this.speed);
    });
  }

  /** Replayed seconds a second. A browser may bring the slider of an earlier visit back. */
  get speed(): number {
    return SPEEDS[this.#speed.valueAsNumber] ?? SPEED_FIRST;
  }

  get graceHours(): number {
    return Number(this.#grace.value);
  }

  /** While the engine opens, starts anew or checks, what would disturb it cannot be pressed. */
  enable(isEnabled: boolean): void {
    for (const control of [this.#play, this.#restart, this.#grace, this.#check]) {
      control.disabled = !isEnabled;
    }
  }

  showPlay(state: PlayState): void {
    setText(this.#play, PLAY_TEXTS[state]);
  }

  #showSpeed(): void {
    const text = `${countText(this.speed)}×`;
    const span = `${spanText(this.speed * 1000)} a second`;
    setText(this.#speedText, `${text}, ${span}`);
    this.#speed.setAttribute('aria-valuetext', `${countText(this.speed)} times, ${span}`);
  }
}
