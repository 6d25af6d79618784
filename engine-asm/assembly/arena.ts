// Power-of-two blocks of linear memory with one free list a size; knows nothing of what is stored in them.

// Blocks are never split or joined: a kernel's blocks come in few sizes, and what a closed window gives back is just
// what the next one asks for. Every block starts on a multiple of 64.
const ORDER_MIN: u32 = 6;
const ORDER_MAX: u32 = 30;
/** Memory grows by an eighth, or so many pages, where the maximum allows it: each growth detaches the host's views. */
const GROWTH_PAGES: i32 = 16;

/** Head of the free list per order; a free block's first word is the next one. */
const freeLists: usize = memory.data(128, 16);
let top: u64 = 0;

function orderOf(bytes: u32): u32 {
  return bytes <= (<u32>1) << ORDER_MIN ? ORDER_MIN : 32 - clz<u32>(bytes - 1);
}

/** The bytes that `allocate(bytes)` really gives. */
export function roundUp(bytes: u32): u32 {
  return (<u32>1) << orderOf(bytes);
}

/** An uncleared block of at least `bytes`, or 0 when memory has come to its maximum. */
export function allocate(bytes: u32): u32 {
  if (bytes > (<u32>1) << ORDER_MAX) return 0;
  const order = orderOf(bytes);
  const list = freeLists + ((<usize>order) << 2);
  const head = load<u32>(list);
  if (head != 0) {
    store<u32>(list, load<u32>(head));
    return head;
  }
  if (top == 0) top = (<u64>__heap_base + 63) & ~(<u64>63);
  const end = top + ((<u64>1) << order);
  const have = (<u64>memory.size()) << 16;
  if (end > have) {
    const needed = <i32>((end - have + 0xffff) >> 16);
    const wanted = max(needed, max(GROWTH_PAGES, memory.size() >> 3));
    if (memory.grow(wanted) < 0 && memory.grow(needed) < 0) return 0;
  }
  const block = <u32>top;
  top = end;
  return block;
}

/** As `allocate`, cleared. */
export function allocateCleared(bytes: u32): u32 {
  const block = allocate(bytes);
  if (block != 0) memory.fill(block, 0, bytes);
  return block;
}

/** Gives a block back; `bytes` is what it was asked for with. */
export function release(block: u32, bytes: u32): void {
  const list = freeLists + ((<usize>orderOf(bytes)) << 2);
  store<u32>(block, load<u32>(list));
  store<u32>(list, block);
}
