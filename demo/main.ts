// The page: opens the engine, feeds it the replay frame by frame, and shows what comes out; knows no SQL and no port.

import { Chart } from './chart.ts';
import { compare } from './check.ts';
import { CheckView } from './check-view.ts';
import { showSql } from './code-view.ts';
import { Controls } from './controls.ts';
import { element, setText } from './dom.ts';
import { countText, HOUR_MS } from './format.ts';
import { showHints } from './hint.ts';
import type { Hour } from './hour.ts';
import { NumbersView } from './numbers-view.ts';
import { loadQuakes, type Quake } from './quakes.ts';
// oxlint-disable-next-line import/default -- Vite gives the text of the file as its default export
import recountSource from './recount.ts?raw';
import { Recounter } from './recounter.ts';
import { Replay } from './replay.ts';
import { Session, type Totals } from './session.ts';
import { CREATE_STREAM, createTable } from './sql.ts';
import { TableView } from './table-view.ts';
import { Verdicts } from './verdicts.ts';

/** Records that wait for the engine before the clock of the replay does. */
const WAITING_MAX = 500;
/** How often the engine is asked for its totals at most. */
const POLL_MS = 100;
const NOTHING: Totals = { records: 0, late: 0, changes: 0 };

class Demo {
  readonly #quakes: readonly Quake[];
  readonly #session: Session;
  readonly #controls: Controls;
  readonly #replay: Replay;
  readonly #verdicts: Verdicts;
  readonly #chart: Chart;
  readonly #table = new TableView();
  readonly #numbers = new NumbersView();
  readonly #checkView = new CheckView();
  readonly #recounter = new Recounter();
  readonly #soFar = element('chart-so-far', HTMLElement);
  #waiting: Quake[] = [];
  #fed = 0;
  #totals = NOTHING;
  #graceHours: number;
  #feeding: Promise<void> | null = null;
  #polling: Promise<void> | null = null;
  #acting: Promise<void> = Promise.resolve();
  /** While an action has the engine to itself, nothing is fed or asked. */
  #isHeld = false;
  #isStale = true;
  #hasFailed = false;
  #frameMs = 0;
  #polledMs = 0;

  /** @param session has started, with the grace period that the controls show */
  constructor(quakes: readonly Quake[], session: Session, controls: Controls) {
    this.#quakes = quakes;
    this.#session = session;
    this.#controls = controls;
    this.#graceHours = controls.graceHours;
    this.#replay = new Replay(quakes, controls.speed);
    this.#verdicts = new Verdicts(quakes);
    this.#chart = new Chart(element('chart', HTMLCanvasElement), quakes, () => {
      this.#isStale = true;
    });
    showHints({
      chart: this.#chart,
      quakes,
      arrived: () => this.#replay.arrived,
      verdictOf: (index) => this.#verdicts.of(index),
    });
  }

  start(): void {
    requestAnimationFrame((frameMs) => {
      this.#frameMs = frameMs;
      this.#frame(frameMs);
    });
  }

  play(): void {
    if (this.#replay.isFinished) this.restart();
    else this.#replay.isPlaying = !this.#replay.isPlaying;
    this.#isStale = true;
  }

  restart(): void {
    this.#act(async () => {
      this.#replay.restart();
      this.#waiting = [];
      this.#fed = 0;
      this.#forgetTable();
      await this.#session.start(this.#graceHours);
    });
  }

  setSpeed(speed: number): void {
    this.#replay.speed = speed;
  }

  setGrace(hours: number): void {
    showStatements(hours);
    this.#act(async () => {
      await this.#session.replaceTable(hours);
      this.#graceHours = hours;
      this.#forgetTable();
      await this.#session.follow();
    });
  }

  check(): void {
    this.#act(async () => {
      const { values, table } = await this.#session.snapshot();
      const counted = await this.#recounter.recount(values, this.#graceHours * HOUR_MS);
      this.#checkView.show(compare(counted, table), values.length, counted.late);
    });
  }

  change(hour: Hour): void {
    this.#verdicts.change(hour.net, hour.windowStart);
    this.#table.change(hour);
    this.#isStale = true;
  }

  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#replay.isPlaying = false;
    this.#controls.enable(false);
    showFailure(error);
  }

  /** Runs an action once those before it are done and nothing is on its way to the engine. */
  #act(action: () => Promise<void>): void {
    const before = this.#acting;
    this.#acting = this.#tried(async () => {
      await before;
      this.#isHeld = true;
      await Promise.all([this.#feeding, this.#polling]);
      await action();
      this.#isHeld = false;
      this.#isStale = true;
    });
  }

  /** What goes wrong in anything that nobody waits for ends the demo, visibly. */
  async #tried(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(error);
    }
  }

  #forgetTable(): void {
    this.#verdicts.reset();
    this.#table.clear();
    this.#checkView.clear();
    this.#totals = NOTHING;
  }

  #frame(frameMs: number): void {
    const passedMs = frameMs - this.#frameMs;
    this.#frameMs = frameMs;
    if (!this.#isHeld && !this.#hasFailed) {
      this.#move(passedMs);
      this.#feed();
      this.#poll(frameMs);
    }
    if (this.#isStale) this.#show(frameMs);
    requestAnimationFrame((nextMs) => this.#frame(nextMs));
  }

  #move(passedMs: number): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    const { isPlaying, isFinished } = this.#replay;
    this.#waiting.push(...this.#replay.advance(passedMs));
    if (isPlaying && !isFinished) this.#isStale = true;
  }

  #feed(): void {
    if (this.#feeding !== null || this.#waiting.length === 0) return;
    const quakes = this.#waiting.splice(0);
    this.#feeding = this.#tried(async () => {
      await this.#session.feed(quakes);
      this.#fed += quakes.length;
      this.#feeding = null;
    });
  }

  /** Asks for the totals as long as they, the records fed and the changes seen do not yet agree. */
  #poll(frameMs: number): void {
    const { records, changes } = this.#totals;
    const isSettled = records === this.#fed && changes === this.#verdicts.changes;
    if (isSettled || this.#polling !== null || frameMs - this.#polledMs < POLL_MS) return;
    this.#polledMs = frameMs;
    this.#polling = this.#tried(async () => {
      this.#totals = await this.#session.totals();
      this.#verdicts.settle(this.#totals.records, this.#totals.changes);
      this.#isStale = true;
      this.#polling = null;
    });
  }

  #show(frameMs: number): void {
    const { records, late, changes } = this.#totals;
    const { arrived, nowMs, isPlaying, isFinished } = this.#replay;
    this.#table.render();
    if (this.#table.rows > 0) markFirstChange();
    this.#numbers.show({
      ...this.#totals,
      recordsMax: this.#quakes.length,
      rows: this.#table.rows,
      streamTimeMs: this.#chart.streamTimeMs(records),
      clockMs: nowMs,
    });
    setText(this.#soFar, `So far ${countText(changes)} counted, ${countText(late)} late.`);
    this.#controls.showPlay(isFinished ? 'ended' : isPlaying ? 'playing' : 'paused');
    this.#isStale = this.#chart.draw(
      {
        taken: records,
        arrived,
        nowMs,
        graceMs: this.#graceHours * HOUR_MS,
        verdictOf: (index) => this.#verdicts.of(index),
      },
      frameMs,
    );
  }
}

/** How long a visitor waits for the first change, for whoever measures: a mark of the browser's own. */
function markFirstChange(): void {
  const name = 'millrace:first-change';
  if (performance.getEntriesByName(name).length === 0) performance.mark(name);
}

function showStatements(graceHours: number): void {
  showSql(element('sql', HTMLElement), `${CREATE_STREAM}\n\n${createTable(graceHours)}`);
}

function showFailure(error: unknown): void {
  const failure = element('failure', HTMLElement);
  const message = error instanceof Error ? error.message : String(error);
  failure.textContent = `The demo has stopped: ${message}. Reload the page to start it again.`;
  failure.hidden = false;
}

async function main(): Promise<void> {
  let demo: Demo | null = null;
  const controls = new Controls({
    onPlay: () => demo?.play(),
    onRestart: () => demo?.restart(),
    onSpeed: (speed) => demo?.setSpeed(speed),
    onGrace: (hours) => demo?.setGrace(hours),
    onCheck: () => demo?.check(),
  });
  showStatements(controls.graceHours);
  element('recount', HTMLElement).textContent = recountSource.trim();
  const session = await Session.open({
    onChange: (hour) => demo?.change(hour),
    onFailure: (error) => (demo === null ? showFailure(error) : demo.fail(error)),
  });
  // The engine first: it asks for its rarer code bit by bit, and while it waits a slow network brings the records.
  const [quakes] = await Promise.all([loadQuakes(), session.start(controls.graceHours)]);
  setText(element('storage', HTMLElement), session.storage);
  demo = new Demo(quakes, session, controls);
  demo.start();
  controls.enable(true);
}

main().catch(showFailure);
