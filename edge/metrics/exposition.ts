// Samples as Prometheus' text format 0.0.4; knows no object.

import { METRICS_SAMPLES_MAX } from '../../runtime/base/limits.ts';
import { FAMILIES, type Family, type FamilyName } from './families.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Collects samples, each family by itself, as the format wants it. */
export class Exposition {
  readonly #lines = new Map<FamilyName, string[]>();
  #samples = 0;

  /** @param labels one value for each label of the family, in its order */
  add(name: FamilyName, labels: readonly (string | number)[], value: number): void {
    // More than the bound cannot come of one page; a name must not be able to break that.
    if (this.#samples >= METRICS_SAMPLES_MAX) return;
    this.#samples += 1;
    const names: readonly string[] = FAMILIES[name].labels;
    const pairs = names.map((label, i) => `${label}="${escaped(String(labels[i] ?? ''))}"`);
    const lines = this.#lines.get(name) ?? [];
    this.#lines.set(name, lines);
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
  }

  /** The whole text; families without a sample are left out. */
  text(): string {
    const parts: string[] = [];
    for (const [name, { kind, help }] of Object.entries(FAMILIES) as [FamilyName, Family][]) {
      const lines = this.#lines.get(name);
      if (lines === undefined) continue;
      parts.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines);
    }
    return `${parts.join('\n')}\n`;
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
