// How a Worker is bundled: all that it loads at once is one chunk, and each part that is fetched later one of its own; knows no module.

type ModuleInfo = (id: string) => { isEntry: boolean; importers: readonly string[] } | null;

interface ChunkGroup {
  debugName: string;
  name: (id: string, context: { getModuleInfo: ModuleInfo }) => string | null;
}

/** The group, for one build, of the modules that are loaded with the Worker and not only with a part. */
export function coreChunk(): ChunkGroup {
  const known = new Map<string, boolean>();
  const isAlwaysLoaded = (id: string, infoOf: ModuleInfo): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // For a cycle, until it is known better.
    known.set(id, false);
    const info = infoOf(id);
    const is =
      info !== null &&
      (info.isEntry || info.importers.some((importer) => isAlwaysLoaded(importer, infoOf)));
    known.set(id, is);
    return is;
  };
  return {
    debugName: 'core',
    name: (id, context) => (isAlwaysLoaded(id, (of) => context.getModuleInfo(of)) ? 'core' : null),
  };
}
