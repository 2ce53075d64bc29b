// The instruction loop. It only dispatches: V8 replaces a function by its optimised code only when it is called
// anew, so every loop over data lives in a kernel of its own.
import {
  FAULT_ABORTED, FAULT_OPCODE, FLAG_BARRIER, FLAG_F64, FLAG_SOLO, OP_ARGMAX, OP_BAND, OP_CONV, OP_CONV_DW, OP_CONV_DX, OP_COPY, OP_CROSS_ENTROPY, OP_END,
  OP_GATHER, OP_GEMM, OP_LAYER_NORM, OP_LAYER_NORM_GRAD, OP_MAP, OP_MAXPOOL, OP_MAXPOOL_GRAD, OP_MAXPOOL_PICK, OP_RANDOM, OP_SCATTER_ADD,
  OP_SOFTMAX, OP_SOFTMAX_GRAD, STATUS_OK,
  OP_ADD_ALONG, OP_SCAN, OP_SORT, OP_TAKE_ALONG,
} from './abi';
import { barrier } from './barrier';
import { argmax } from './kernels/argmax';
import { band } from './kernels/band';
import { convDw } from './kernels/conv/dw';
import { convDx } from './kernels/conv/dx';
import { conv } from './kernels/conv/forward';
import { crossEntropy } from './kernels/crossEntropy';
import { gather, scatterAdd } from './kernels/gather';
import { gemm } from './kernels/gemm/gemm';
import { map } from './kernels/map/map';
import { copy } from './kernels/move';
import { layerNorm, layerNormGrad } from './kernels/norm';
import { maxPool, maxPoolGrad, maxPoolPick } from './kernels/pool';
import { addAlong, takeAlong } from './kernels/along';
import { random } from './kernels/random';
import { scan } from './kernels/scan';
import { softmax, softmaxGrad } from './kernels/softmax';
import { sort } from './kernels/sort';
import { addAlong64, takeAlong64 } from './kernels/f64/along';
import { argmax64 } from './kernels/f64/argmax';
import { band64 } from './kernels/f64/band';
import { conv64, convDw64, convDx64 } from './kernels/f64/conv';
import { gemm64 } from './kernels/f64/gemm';
import { map64 } from './kernels/f64/map';
import { copy64, gather64, scatterAdd64 } from './kernels/f64/move';
import { layerNorm64, layerNormGrad64 } from './kernels/f64/norm';
import { maxPool64, maxPoolGrad64, maxPoolPick64 } from './kernels/f64/pool';
import { random64 } from './kernels/f64/random';
import { scan64 } from './kernels/f64/scan';
import { crossEntropy64, softmax64, softmaxGrad64 } from './kernels/f64/softmax';
import { sort64 } from './kernels/f64/sort';

/**
 * Runs the program at `program` with the operand table at `table` to its end. Each thread calls it with its own
 * number and its own SCRATCH_BYTES at `scratch`; several share the page at `sync`. Returns STATUS_OK or
 * `fault | instruction index << 8`.
 */
export function run(program: usize, table: usize, scratch: usize, thread: i32, threads: i32, sync: usize): i32 {
  let ins = program;
  let index = 0;
  let head = load<u32>(ins);
  while ((head & 0xff) != OP_END) {
    const flags = (head >> 8) & 0xff;
    if (sync != 0 && flags & FLAG_BARRIER && !barrier(sync, thread, threads)) return FAULT_ABORTED | (index << 8);
    const solo = (flags & FLAG_SOLO) != 0;
    if (thread == 0 || !solo) {
      const share = solo ? 1 : threads;
      const fault = flags & FLAG_F64
        ? dispatch64(head & 0xff, ins, table, scratch, thread, share)
        : dispatch(head & 0xff, ins, table, scratch, thread, share);
      if (fault != STATUS_OK) return fault | (index << 8);
    }
    ins += (<usize>(head >> 16)) << 2;
    index++;
    head = load<u32>(ins);
  }
  return STATUS_OK;
}

function dispatch(op: u32, ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  switch (op) {
    case OP_GEMM:
      return gemm(ins, table, scratch, thread, threads);
    case OP_MAP:
      return map(ins, table, scratch, thread, threads);
    case OP_MAXPOOL:
      return maxPool(ins, table, scratch, thread, threads);
    case OP_MAXPOOL_GRAD:
      return maxPoolGrad(ins, table, scratch, thread, threads);
    case OP_MAXPOOL_PICK:
      return maxPoolPick(ins, table, scratch, thread, threads);
    case OP_BAND:
      return band(ins, table, scratch, thread, threads);
    case OP_SOFTMAX:
      return softmax(ins, table, scratch, thread, threads);
    case OP_SOFTMAX_GRAD:
      return softmaxGrad(ins, table, scratch, thread, threads);
    case OP_CROSS_ENTROPY:
      return crossEntropy(ins, table, scratch, thread, threads);
    case OP_LAYER_NORM:
      return layerNorm(ins, table, scratch, thread, threads);
    case OP_LAYER_NORM_GRAD:
      return layerNormGrad(ins, table, scratch, thread, threads);
    case OP_ARGMAX:
      return argmax(ins, table, scratch, thread, threads);
    case OP_COPY:
      return copy(ins, table, scratch, thread, threads);
    case OP_GATHER:
      return gather(ins, table, scratch, thread, threads);
    case OP_SCATTER_ADD:
      return scatterAdd(ins, table, scratch, thread, threads);
    case OP_RANDOM:
      return random(ins, table, scratch, thread, threads);
    case OP_CONV:
      return conv(ins, table, scratch, thread, threads);
    case OP_CONV_DX:
      return convDx(ins, table, scratch, thread, threads);
    case OP_CONV_DW:
      return convDw(ins, table, scratch, thread, threads);
    case OP_SCAN:
      return scan(ins, table, scratch, thread, threads);
    case OP_SORT:
      return sort(ins, table, scratch, thread, threads);
    case OP_TAKE_ALONG:
      return takeAlong(ins, table, scratch, thread, threads);
    case OP_ADD_ALONG:
      return addAlong(ins, table, scratch, thread, threads);
    default:
      return FAULT_OPCODE;
  }
}

/** The same over float64. */
function dispatch64(op: u32, ins: usize, table: usize, scratch: usize, thread: i32, threads: i32): i32 {
  switch (op) {
    case OP_GEMM:
      return gemm64(ins, table, scratch, thread, threads);
    case OP_MAP:
      return map64(ins, table, scratch, thread, threads);
    case OP_MAXPOOL:
      return maxPool64(ins, table, scratch, thread, threads);
    case OP_MAXPOOL_GRAD:
      return maxPoolGrad64(ins, table, scratch, thread, threads);
    case OP_MAXPOOL_PICK:
      return maxPoolPick64(ins, table, scratch, thread, threads);
    case OP_BAND:
      return band64(ins, table, scratch, thread, threads);
    case OP_SOFTMAX:
      return softmax64(ins, table, scratch, thread, threads);
    case OP_SOFTMAX_GRAD:
      return softmaxGrad64(ins, table, scratch, thread, threads);
    case OP_CROSS_ENTROPY:
      return crossEntropy64(ins, table, scratch, thread, threads);
    case OP_LAYER_NORM:
      return layerNorm64(ins, table, scratch, thread, threads);
    case OP_LAYER_NORM_GRAD:
      return layerNormGrad64(ins, table, scratch, thread, threads);
    case OP_ARGMAX:
      return argmax64(ins, table, scratch, thread, threads);
    case OP_COPY:
      return copy64(ins, table, scratch, thread, threads);
    case OP_GATHER:
      return gather64(ins, table, scratch, thread, threads);
    case OP_SCATTER_ADD:
      return scatterAdd64(ins, table, scratch, thread, threads);
    case OP_RANDOM:
      return random64(ins, table, scratch, thread, threads);
    case OP_CONV:
      return conv64(ins, table, scratch, thread, threads);
    case OP_CONV_DX:
      return convDx64(ins, table, scratch, thread, threads);
    case OP_CONV_DW:
      return convDw64(ins, table, scratch, thread, threads);
    case OP_SCAN:
      return scan64(ins, table, scratch, thread, threads);
    case OP_SORT:
      return sort64(ins, table, scratch, thread, threads);
    case OP_TAKE_ALONG:
      return takeAlong64(ins, table, scratch, thread, threads);
    case OP_ADD_ALONG:
      return addAlong64(ins, table, scratch, thread, threads);
    default:
      return FAULT_OPCODE;
  }
}
