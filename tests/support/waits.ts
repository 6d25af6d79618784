// How long tests wait before they say that something hangs; none of it says how fast anything is. What takes a second alone takes fifty where as many share the machine, or while it stands still.

/** What another process, a timer or a network brings is waited for so long, in ms. */
export const COMES_MS = 60_000;
/** A test or a hook may take so long, in ms. */
export const HANGS_MS = 180_000;
