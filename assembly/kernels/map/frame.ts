// The interpreter's working memory: the first part of a thread's scratch.
//
//   address [MAP_SLOTS]  where each slot's elements of the present block begin
//   laid    [MAP_SLOTS]  what the tile of a view holds (view.ts)
//   Gather               how the reductions of the instruction go
//   tiles                one a slot: an L1 block of a temp, a view laid out, or the accumulators of columns
import { MAP_BLOCK, MAP_SLOTS } from '../../abi';

const LAID: usize = MAP_SLOTS * 4;
const GATHER: usize = LAID * 2;
const TILES: usize = 1024;
// Twice a block, so that a repeated row can be read from any phase; staggered, since streams whose addresses are
// equal modulo 4,096 run at half speed.
const TILE_BYTES: usize = MAP_BLOCK * 8 + 320;

/** How elements are gathered into outputs, and the unit of work under way (one contiguous run of outputs). */
@unmanaged
export class Gather {
  /** Elements a run; what feeds one output. Without end where there is no reduction, or one by columns. */
  inner!: i32;
  /** Outputs, after which the next run feeds the first again. */
  period!: i32;
  /** Most elements of a block, such that it holds whole runs or whole rows if it can. */
  block!: i32;
  /** Whether rows are combined column by column in the slot's tile (inner = 1), rather than runs in place. */
  byColumns!: bool;
  /** By columns: elements a row of the tile, a multiple of the unit's outputs. */
  width!: i32;
  /** The unit's first element, and the output it feeds. */
  from!: i32;
  output!: i32;
  /** Where the unit's outputs begin in out[slices, period], and how many they are. */
  outputsAt!: i32;
  nOutputs!: i32;
}

// @ts-ignore: decorator
@inline
export function gatherOf(frame: usize): Gather {
  return changetype<Gather>(frame + GATHER);
}

/** Address of operand k (1 is the first) of the micro-operation at `m`. */
// @ts-ignore: decorator
@inline
export function address(m: usize, frame: usize, k: i32): usize {
  return load<usize>(frame + (<usize>load<u32>(m + (<usize>k << 2)) << 2));
}

// @ts-ignore: decorator
@inline
export function setAddress(frame: usize, slot: i32, to: usize): void {
  store<usize>(frame + (<usize>slot << 2), to);
}

// @ts-ignore: decorator
@inline
export function laid(frame: usize, slot: i32): i32 {
  return load<i32>(frame + (<usize>slot << 2), LAID);
}

// @ts-ignore: decorator
@inline
export function setLaid(frame: usize, slot: i32, to: i32): void {
  store<i32>(frame + (<usize>slot << 2), to, LAID);
}

// @ts-ignore: decorator
@inline
export function tile(frame: usize, slot: i32): usize {
  return frame + TILES + <usize>slot * TILE_BYTES;
}
