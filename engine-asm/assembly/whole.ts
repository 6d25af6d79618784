// Which kernel is compiled; knows nothing of what it does.

/**
 * True in whole kernels: what is there for speed alone is compiled into those, and not into what pages load. asconfig.json: the target of pages
 * bounds the statics, of which both have a few KB, and that is how they are told apart.
 */
export const IS_WHOLE: bool = ASC_LOW_MEMORY_LIMIT == 0;
