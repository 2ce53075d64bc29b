// The exports of the binary: run programs, where the memory it may be given begins, and what the processor can do.
export { run } from './executor';
export { multiplyAdds, stream } from './limit';
export { leave, settle, settled, share, sit, start, work } from './job';

/** First byte after the binary's own read-only tables. */
export function heapBase(): usize {
  return __heap_base;
}
