// The registry over a list of overloads: look-up, resolution, and loading of heavy bodies; knows no function.

import { assert } from '../base/assert.ts';
import type { Type } from '../data/type.ts';
import type { Theme } from './parts.ts';
import type {
  FunctionRegistry,
  Overload,
  Resolved,
  ScalarBody,
  ScalarOverload,
} from './registry.ts';
import { match, signatureOf } from './resolve.ts';

type Bodies = (argumentTypes: readonly Type[]) => ScalarBody;

/**
 * A registry of these overloads, and before them those of the themes, which are fetched as they are needed.
 * @throws {InvariantError} when two have the same signature
 */
export function createRegistry(
  overloads: readonly Overload[],
  themes: readonly Theme[] = [],
): FunctionRegistry {
  return new Registry(overloads, themes);
}

class Registry implements FunctionRegistry {
  readonly names: readonly string[];
  readonly #own: readonly Overload[];
  /** Themes that are not known by signature yet, by the names of their functions. */
  readonly #themes = new Map<string, Theme>();
  readonly #byName = new Map<string, Overload[]>();
  readonly #bySignature = new Map<string, Overload>();
  readonly #loaded = new Map<ScalarOverload, ScalarOverload>();

  constructor(overloads: readonly Overload[], themes: readonly Theme[]) {
    this.#own = overloads;
    for (const theme of themes) for (const name of theme.names) this.#themes.set(name, theme);
    for (const overload of overloads) {
      if (!this.#themes.has(overload.name)) this.#add(overload);
    }
    this.names = [...new Set([...this.#themes.keys(), ...this.#byName.keys()])].sort();
  }

  #add(overload: Overload): void {
    const signature = signatureOf(overload);
    assert(!this.#bySignature.has(signature), `${signature} is declared once`);
    this.#bySignature.set(signature, overload);
    const named = this.#byName.get(overload.name);
    if (named === undefined) this.#byName.set(overload.name, [overload]);
    else named.push(overload);
  }

  /** Makes the functions of that name known. @throws {PartMissing} when their theme is not fetched yet */
  #know(name: string): void {
    const theme = this.#themes.get(name);
    if (theme === undefined) return;
    const { overloads } = theme.part.code;
    for (const known of theme.names) this.#themes.delete(known);
    for (const overload of overloads) this.#add(overload);
    for (const overload of this.#own) if (theme.names.includes(overload.name)) this.#add(overload);
  }

  has(name: string): boolean {
    return this.#themes.has(name) || this.#byName.has(name);
  }

  overloads(name: string): readonly Overload[] {
    this.#know(name);
    return this.#byName.get(name) ?? [];
  }

  /**
   * Exact types beat widened ones; then concrete types beat variables, fixed parameters variadic ones, and of equals the first
   * declared is taken. Where every fit widens and two are equally general, none is: the call is ambiguous, as in ksqlDB.
   */
  resolve(name: string, argumentTypes: readonly (Type | null)[]): Resolved | null {
    const fitting = this.overloads(name).flatMap((overload) => {
      const found = match(overload, argumentTypes);
      return found === null ? [] : [{ overload, ...found }];
    });
    const exact = fitting.filter((found) => !found.widens);
    const candidates = exact.length > 0 ? exact : fitting;
    const least = Math.min(...candidates.map(({ generality }) => generality));
    const [best, other] = candidates.filter(({ generality }) => generality === least);
    if (best === undefined || (best.widens && other !== undefined)) return null;
    const { overload, casts } = best;
    return { overload, signature: signatureOf(overload), casts, type: overload.returns(casts) };
  }

  bySignature(name: string, signature: string): Overload | null {
    this.#know(name);
    const overload = this.#bySignature.get(signature);
    if (overload === undefined || overload.name !== name) return null;
    return overload.kind === 'scalar' ? (this.#loaded.get(overload) ?? overload) : overload;
  }

  load(name: string, signature: string): PromiseLike<void> | null {
    this.#know(name);
    const overload = this.#bySignature.get(signature);
    if (overload?.kind !== 'scalar' || overload.name !== name) return null;
    if (overload.load === undefined || this.#loaded.has(overload)) return null;
    const keep = (body: Bodies): void => void this.#loaded.set(overload, { ...overload, body });
    return overload.load().then(keep);
  }
}
