// The exports of the binary: run a program, and where the memory it may be given begins.
export { run } from './executor';
export { leave, settle, settled, share, sit, start, work } from './job';

/** First byte after the binary's own read-only tables. */
export function heapBase(): usize {
  return __heap_base;
}
