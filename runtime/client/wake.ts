// When a page may have its network back: it is online, thawed, or shown again; knows no request.

import { WAKE_MS_MAX } from '../base/limits.ts';

/** `pageshow` where the page comes out of the back/forward cache. */
const EVENTS = ['online', 'resume', 'pageshow', 'visibilitychange'] as const;

type Hear = (event: { readonly type: string; readonly persisted?: boolean }) => void;

/** A page, or a Worker of one. */
interface Page {
  readonly document?: { readonly hidden: boolean } | undefined;
  addEventListener(type: string, hear: Hear, capture: boolean): void;
  removeEventListener(type: string, hear: Hear, capture: boolean): void;
}

/** Whoever waits on an edge that lives hears from it within this time. */
const HEARD_MS = 30_000;

/**
 * Calls back when it is worth a try: within WAKE_MS_MAX, at random, so that not all tabs come at once; once for all that happens meanwhile.
 * Never where the host tells nothing of the kind, as Node.
 * @param woken whether what has been open since this call may be dead: not when the page was but hidden for a moment
 * @returns ends it
 */
export function onWake(woken: (isDoubtful: boolean) => void): () => void {
  if (!('ononline' in globalThis)) return () => undefined;
  const page: Page = globalThis;
  const begunMs = Date.now();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isDoubtful = false;
  const heard: Hear = ({ type, persisted }) => {
    const isView = type === 'visibilitychange';
    if ((isView && page.document?.hidden === true) || persisted === false) return;
    // Not every browser says that it has thawed a page.
    isDoubtful ||= !isView || Date.now() - begunMs > HEARD_MS;
    timer ??= setTimeout(() => {
      timer = null;
      woken(isDoubtful);
    }, Math.random() * WAKE_MS_MAX);
  };
  // Events of the document, too, come by here on their way.
  for (const event of EVENTS) page.addEventListener(event, heard, true);
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const event of EVENTS) page.removeEventListener(event, heard, true);
  };
}
