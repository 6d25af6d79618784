// The module that vite-plugin.ts makes of the data file.

declare module 'virtual:earthquakes' {
  import type { QuakeRow } from './quakes.ts';

  const rows: readonly QuakeRow[];
  export default rows;
}
