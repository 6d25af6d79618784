// What the demo asks of Vite: the earthquakes without the fields that nobody reads, and a policy that development can live with; knows no engine.

import type { Plugin } from 'vite';
import type { QuakeRow } from './quakes.ts';

const MODULE = 'virtual:earthquakes';
const FILE = 'node_modules/vega-datasets/data/earthquakes.json';

interface Feature {
  readonly id: string;
  readonly properties: {
    readonly net: string;
    readonly type: string;
    readonly status: string;
    readonly mag: number;
    readonly place: string;
    readonly sig: number;
    readonly time: number;
    readonly updated: number;
  };
  readonly geometry: { readonly coordinates: readonly [number, number, number] };
}

/** Gives `virtual:earthquakes`: the rows of the file in the order of their arrival, equal times in the file's order. */
export function demoPlugin(): Plugin {
  let isServing = false;
  return {
    name: 'millrace-demo',
    enforce: 'pre',
    // So that what is built works in any folder of any server.
    config: () => ({ base: './' }),
    configResolved(config) {
      isServing = config.command === 'serve' && !config.isProduction;
    },
    resolveId(id) {
      return id === MODULE
        ? this.resolve(`../${FILE}`, `${import.meta.dirname}/index.html`)
        : undefined;
    },
    // The text is still JSON afterwards: Vite's own plugin makes the module of it. Without a map the development server would add the
    // whole file to it as one, five times as many bytes.
    transform(code, id) {
      if (!id.endsWith(FILE)) return undefined;
      const { features } = JSON.parse(code) as { features: readonly Feature[] };
      return { code: JSON.stringify(rowsOf(features)), map: { mappings: '' } };
    },
    // In development Vite puts styles into the page and listens on a socket; what is built keeps the policy as it stands.
    transformIndexHtml(html) {
      if (!isServing) return html;
      return html
        .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        .replace("connect-src 'self'", "connect-src 'self' ws:");
    },
  };
}

function rowsOf(features: readonly Feature[]): QuakeRow[] {
  return features
    .map(({ id, properties, geometry }): QuakeRow => {
      const { net, type, status, mag, place, sig, time, updated } = properties;
      const [lon, lat, depth] = geometry.coordinates;
      return [id, net, type, status, mag, place, sig, lon, lat, depth, time, updated];
    })
    .sort((a, b) => a[11] - b[11]);
}
