// The registry over a list of overloads: look-up, resolution, and loading of heavy bodies; knows no function.

import { assert } from '../base/assert.ts';
import type { Part } from '../base/part.ts';
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
import type { Processor } from './user-processor.ts';

type Bodies = (argumentTypes: readonly Type[]) => ScalarBody;

type MoreThemes = Part<{ readonly THEMES: readonly Theme[] }>;

/**
 * A registry of these overloads, and before them those of the themes, which are fetched as they are needed; further themes are
 * asked for when a name is in none of these.
 * @throws {InvariantError} when two have the same signature, or one name and two kinds; where that takes a theme, when it has been fetched
 */
export function createRegistry(
  overloads: readonly Overload[],
  themes: readonly Theme[] = [],
  more: MoreThemes | null = null,
  processors: readonly Processor[] = [],
): FunctionRegistry {
  return new Registry(overloads, themes, more, processors);
}

class Registry implements FunctionRegistry {
  readonly processors: readonly Processor[];
  readonly #own: readonly Overload[];
  /** The themes by the names of their functions. */
  readonly #themes = new Map<string, Theme>();
  /** Those whose functions are known by signature. */
  readonly #known = new Set<Theme>();
  /** Null once they are among the themes. */
  #more: MoreThemes | null;
  readonly #byName = new Map<string, Overload[]>();
  readonly #bySignature = new Map<string, Overload>();
  readonly #loaded = new Map<ScalarOverload, ScalarOverload>();

  constructor(
    overloads: readonly Overload[],
    themes: readonly Theme[],
    more: MoreThemes | null,
    processors: readonly Processor[],
  ) {
    this.processors = processors;
    this.#own = overloads;
    this.#more = more;
    this.#name(themes);
    if (more === null) this.#addOwn();
  }

  get names(): readonly string[] {
    this.#nameAll();
    return [...new Set([...this.#themes.keys(), ...this.#byName.keys()])].sort();
  }

  #name(themes: readonly Theme[]): void {
    for (const theme of themes) for (const name of theme.names) this.#themes.set(name, theme);
  }

  /** Makes every name known. @throws {PartMissing} when the names are not fetched yet */
  #nameAll(): void {
    if (this.#more === null) return;
    const { THEMES } = this.#more.code;
    this.#own.forEach(signatureOf);
    this.#name(THEMES);
    this.#more = null;
    this.#addOwn();
  }

  /** Adds the caller's functions of names that no theme has. */
  #addOwn(): void {
    for (const overload of this.#own) if (!this.#themes.has(overload.name)) this.#add(overload);
  }

  /** What its signature asks for has been fetched: what throws between two of them would leave the others out for ever. */
  #add(overload: Overload): void {
    const signature = signatureOf(overload);
    assert(!this.#bySignature.has(signature), `${signature} is declared once`);
    this.#bySignature.set(signature, overload);
    const named = this.#byName.get(overload.name);
    if (named === undefined) this.#byName.set(overload.name, [overload]);
    else {
      assert(named[0]?.kind === overload.kind, `${overload.name} is of one kind`);
      named.push(overload);
    }
  }

  /** Makes the functions of that name known. @throws {PartMissing} when their theme is not fetched yet */
  #know(name: string): void {
    if (!this.#themes.has(name)) this.#nameAll();
    const theme = this.#themes.get(name);
    if (theme === undefined || this.#known.has(theme)) return;
    const own = this.#own.filter((overload) => theme.names.includes(overload.name));
    const overloads = [...theme.part.code.overloads, ...own];
    overloads.forEach(signatureOf);
    this.#known.add(theme);
    for (const overload of overloads) this.#add(overload);
  }

  has(name: string): boolean {
    if (!this.#themes.has(name)) this.#nameAll();
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
      // The state of an aggregate is of its arguments' types: they are never widened, as in ksqlDB.
      if (found === null || (found.widens && overload.kind === 'aggregate')) return [];
      return [{ overload, ...found }];
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
