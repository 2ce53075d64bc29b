// The layout of a program: opcodes and the words of each instruction. Plain constants, read by the kernels
// (AssemblyScript) and by the encoder (TypeScript) alike, so the two cannot drift apart.
//
// A program is a run of 32-bit words, one instruction after another, closed by OP_END. Word 0 of an
// instruction is `opcode | flags << 8 | nWords << 16`. An operand is an index into a table of byte addresses
// that is filled for each run, so a program never needs relocation; NONE marks an absent operand. All arrays
// are contiguous and row-major; float32 unless said otherwise. Sizes and strides are in elements.

/** An operand that is not there. */
export const NONE = -1;

/** Bytes of scratch memory each thread owns while a program runs. */
export const SCRATCH_BYTES = 4194304;

/** Ranges of work are cut at multiples of this many elements, so two threads never write one vector. */
export const GRAIN = 16;

// Flags of an instruction.
/** Every thread waits for all others before it starts this instruction. */
export const FLAG_BARRIER = 1;
/** Too small to share: thread 0 runs it alone. */
export const FLAG_SOLO = 2;
/**
 * What this page calls float32 is float64 in this instruction: eight bytes an element of every operand, but for those
 * that hold int32 (indices, labels, places). Where the page says that an instruction takes bools, they are 0.0 or 1.0
 * in eight bytes too; but the slots of an OP_MAP say for themselves how they are stored.
 */
export const FLAG_F64 = 4;

// What `run` returns: STATUS_OK, or a fault `code | instruction index << 8`.
export const STATUS_OK = 0;
/** An opcode or micro-operation that this binary does not know. */
export const FAULT_OPCODE = 1;
/** An index outside the axis it points into. */
export const FAULT_INDEX = 2;
/** Another thread failed. */
export const FAULT_ABORTED = 3;
/** A kernel trapped. */
export const FAULT_TRAP = 4;
/** A worker died. */
export const FAULT_LOST = 5;

export const OP_END = 0;

/**
 * C = act(alpha · op(A)·op(B) + beta · D + bias), batched.
 * [1] C [2] A [3] B [4] bias | NONE [5] D | NONE
 * [6] M [7] N [8] K [9] lda [10] ldb [11] ldc (also D's)
 * [12] GEMM_* flags [13] batch [14] strideA [15] strideB [16] strideC (also D's; 0 shares the operand)
 * [17] alpha: scalar operand | NONE (1) [18] beta: scalar operand | NONE (1 where D is given) [19] ACT_*
 * A is [M,K], or [K,M] with GEMM_TRANS_A; B is [K,N], or [N,K] with GEMM_TRANS_B; C and D are [M,N]. D may be C.
 */
export const OP_GEMM = 1;
export const GEMM_TRANS_A = 1;
export const GEMM_TRANS_B = 2;
/** The bias is [M], one value a row of C; otherwise it is [N], one a column. */
export const GEMM_BIAS_ROWS = 4;

// Activations an epilogue can apply.
export const ACT_NONE = 0;
export const ACT_RELU = 1;
export const ACT_SIGMOID = 2;
export const ACT_TANH = 3;

/**
 * The three products of a two-dimensional convolution (cross-correlation, as everywhere in the field).
 * OP_CONV     out[N,O,OH,OW] = act(x[N,C,H,W] ⋆ w[O,C/G,KH,KW] + bias[O]):  [1] out [2] x  [3] w [4] bias | NONE
 * OP_CONV_DX  dx[N,C,H,W] from dy[N,O,OH,OW] and w:                         [1] dx  [2] dy [3] w [4] NONE
 * OP_CONV_DW  dw[O,C/G,KH,KW] from x and dy:                                [1] dw  [2] x  [3] dy [4] NONE
 * then, in all three,
 * [5] N [6] C [7] H [8] W [9] O [10] KH [11] KW [12] strideH [13] strideW [14] padH [15] padW
 * [16] dilationH [17] dilationW [18] groups [19] OH [20] OW [21] ACT_* (OP_CONV only)
 */
export const OP_CONV = 2;
export const OP_CONV_DX = 3;
export const OP_CONV_DW = 4;

/**
 * Max-pooling of planes. [1] out | NONE [2] index | NONE (int32: position of the maximum in its input plane)
 * [3] x [4] planes [5] H [6] W [7] KH [8] KW [9] strideH [10] strideW [11] padH [12] padW
 * [13] dilationH [14] dilationW [15] OH [16] OW. Padding never wins; of ties the first wins; NaN wins over all.
 */
export const OP_MAXPOOL = 5;
/** dx[planes, size] = 0, then dx[p, index[p, i]] += dy[p, i]. [1] dx [2] dy [3] index [4] planes [5] size = H·W [6] OH·OW */
export const OP_MAXPOOL_GRAD = 6;
/** out[p, i] = x[p, index[p, i]], or 0 where the index is −1. [1] out [2] x [3] index [4] planes [5] size = H·W [6] OH·OW */
export const OP_MAXPOOL_PICK = 30;

/**
 * A banded linear map along the middle axis: out[a, o, b] = Σ_k weights[o, k]·x[a, spans[o, 0] + k, b] for
 * k < spans[o, 1], 0 where that is 0. Spans are trusted to lie inside the axis.
 * [1] out [2] x [3] spans: int32 [n, 2] [4] weights [n, taps] [5] outer [6] size of x [7] n [8] inner [9] taps
 */
export const OP_BAND = 31;

/**
 * Softmax or its log over rows. [1] out [2] x [3] rows [4] cols [5] 1 for the log [6] height [7] first. out may be x.
 * A height other than 0 is a causal mask over matrices of so many rows: row r of each is the softmax of its first
 * r + `first` columns, and 0 in the rest, which is not read. The log takes no mask.
 */
export const OP_SOFTMAX = 7;
/**
 * Gradient of OP_SOFTMAX from its output y. [1] dx [2] y [3] dy [4] rows [5] cols [6] 1 for the log [7] height
 * [8] first: dx is 0 where the mask hides x. softmax: y·(dy − Σ dy·y); log: dy − exp(y)·Σ dy. dx may be dy.
 */
export const OP_SOFTMAX_GRAD = 8;
/**
 * Softmax cross-entropy by rows, its value and its gradient sharing the exponentials.
 * [1] loss [rows] | NONE [2] dx [rows,cols] | NONE [3] logits [rows,cols]
 * [4] target: int32 [rows], or probabilities [rows,cols] with CE_PROBABILITIES
 * [5] dy: what to scale dx by: NONE (1), a scalar, or [rows] with CE_DY_ROWS [6] rows [7] cols [8] CE_* flags
 * loss = logsumexp(x)·Σt − Σ t·x; dx = dy·(softmax(x)·Σt − t). dx may be the logits.
 */
export const OP_CROSS_ENTROPY = 9;
export const CE_PROBABILITIES = 1;
export const CE_DY_ROWS = 2;

/** Index (int32) of the extreme of x[outer, size, inner] over the middle axis; first of ties; a NaN is the extreme.
 * [1] out [outer, inner] [2] x [3] outer [4] size [5] inner [6] 1 for the minimum */
export const OP_ARGMAX = 10;

/**
 * A strided copy: dst[dstOffset + Σ i·dstStride] = src[srcOffset + Σ i·srcStride], for 4-byte elements.
 * [1] dst [2] src [3] rank [4] dstOffset [5] srcOffset, then rank × (size, dstStride, srcStride), outermost first.
 * Strides may be 0 or negative in src; destinations never overlap.
 */
export const OP_COPY = 11;

/** out[n, inner] = src[index[n], inner]. [1] out [2] src [3] index (int32) [4] n [5] inner [6] rows of src */
export const OP_GATHER = 12;
/** out[rows, inner] = 0, then out[index[n], inner] += src[n, inner], in the order of n.
 * [1] out [2] src [3] index (int32) [4] n [5] inner [6] rows of out */
export const OP_SCATTER_ADD = 13;

/**
 * Philox-4x32-10 random numbers. [1] out [2] key: two u32 [3] n [4] RANDOM_*
 * Element i depends on the key and i alone. Uniform lies in [0, 1) with 24 bits; normal is Box–Muller.
 */
export const OP_RANDOM = 14;
export const RANDOM_UNIFORM = 0;
export const RANDOM_NORMAL = 1;

/**
 * Rows brought to mean 0 and variance 1, then scaled and shifted: out = (x − mean)·w/√(variance + eps) + b.
 * [1] out [2] x [3] w [cols] | NONE [4] b [cols] | NONE [5] rows [6] cols [7] eps: the bits of a float32, or with
 * FLAG_F64 a scalar operand
 */
export const OP_LAYER_NORM = 16;
/**
 * Gradients of OP_LAYER_NORM, from x and dy [rows,cols]; x̂ is the row at mean 0 and variance 1, recomputed.
 * [1] dx | NONE [2] dw | NONE [3] db | NONE [4] x [5] dy [6] w [cols] | NONE [7] rows [8] cols
 * [9] eps, as above [10] slices
 * dx = (g − mean(g) − x̂·mean(g·x̂))/σ where g = dy·w. Rows are cut into `slices` equal parts (the last may be short
 * or empty): dw[slices,cols] and db[slices,cols] are the sums Σ dy·x̂ and Σ dy of each, left to be added up.
 */
export const OP_LAYER_NORM_GRAD = 17;

/**
 * The linear recurrence h₀ = b₀, hᵢ = aᵢ·hᵢ₋₁ + bᵢ along the middle axis of [outer, size, inner]: a running sum where a
 * is absent. [1] out [2] a | NONE (1) [3] b [4] outer [5] size [6] inner [7] SCAN_* flags. a₀ is not read. float32 is
 * accumulated in float64; int32 wraps around.
 */
export const OP_SCAN = 24;
/** From the last element to the first. */
export const SCAN_REVERSE = 1;
export const SCAN_I32 = 2;

/**
 * The places (int32) of each row's elements in ascending order; equal ones keep their order, −0 equals 0, a NaN is
 * above all. [1] out [rows, cols] [2] x [3] scratch of 4·rows·cols elements | NONE where 16·cols ≤ SCRATCH_BYTES
 * [4] rows [5] cols [6] SORT_* flags
 */
export const OP_SORT = 25;
export const SORT_DESCENDING = 1;
export const SORT_I32 = 2;

/** out[outer, n, inner] = x[outer, index[outer, n, inner], inner]. [1] out [2] x [3] index (int32) [4] outer [5] n [6] inner
 * [7] size of x's axis */
export const OP_TAKE_ALONG = 26;
/** out[outer, size, inner] = 0, then out[outer, index[outer, n, inner], inner] += src[outer, n, inner], in the order of n.
 * [1] out [2] src [3] index (int32) [4] outer [5] n [6] inner [7] size */
export const OP_ADD_ALONG = 27;

/**
 * Elementwise work: a tape of micro-operations run over blocks that stay in the L1 cache.
 * [1] n: elements of the iteration space [2] block: elements a block, at most MAP_BLOCK [3] nSlots [4] nTape
 * [5] slices, then nSlots × (mode, operand, inner, period), then nTape micro-operations, each
 * `micro | nOperands << 16` followed by its operands, which are slot numbers: destinations first.
 *
 * A view (inner, period) reads element ⌊i / inner⌋ mod period at position i: a row is (1, cols), a column
 * (cols, rows), a channel of NCHW (H·W, C). A reduction is a view read backwards: it gathers into that element.
 * `block` is a multiple of the period of its row views where one is short enough, so a tile serves every block.
 *
 * Reductions: all of one instruction share (inner, period). Where inner · period ≥ n, an output is fed by one
 * run (the last may be short), work is split by outputs and `slices` is 1. Otherwise the n / (inner · period)
 * repeats are cut into `slices` equal parts (the last may be short or empty) and part s is gathered into
 * out[s, period]; the encoder adds an instruction that combines them. Parts never depend on the thread count.
 */
export const OP_MAP = 15;
export const MAP_BLOCK = 1024;
/** Most slots and most micro-operations of one tape. */
export const MAP_SLOTS = 64;
export const MAP_TAPE = 128;

// Slot modes.
/** n elements read in step with the iteration. */
export const SLOT_IN = 0;
/** One element, whose address the micro-operation reads. */
export const SLOT_SCALAR = 1;
/** A view (inner, period), laid out into an L1 block before the tape runs. */
export const SLOT_VIEW = 2;
/** An L1 block. */
export const SLOT_TEMP = 3;
/** n elements written in step; may be the memory of a SLOT_IN. Later micro-operations may read it. */
export const SLOT_OUT = 4;
/** An accumulator of MICRO_SUM … MICRO_PROD: out[slices, period]. */
export const SLOT_REDUCE = 5;

// How the elements of a slot lie in memory, where the instruction has FLAG_F64; added to the mode of a SLOT_IN,
// SLOT_SCALAR, SLOT_VIEW or SLOT_OUT. All are float64 while a tape works on them: they are converted as they are read
// and written, so a tape of float64 takes bools and int32 beside its own, and gives them.
export const STORED_F64 = 0;
/** Also a bool. */
export const STORED_F32 = 256;
export const STORED_I32 = 512;
/** The bits of a mode that are SLOT_*. */
export const SLOT_MODE = 255;

// Micro-operations. d: destination block; a b c e: vectors (in, temp, out, view slots); s t u: scalar slots.
// Where a scalar form is missing, the encoder gives a SLOT_VIEW of period 1.
// Numbers stand for every unary form `d, a`:
export const MICRO_COPY = 0;
export const MICRO_NEG = 1;
export const MICRO_ABS = 2;
export const MICRO_SIGN = 3;
export const MICRO_SQRT = 4;
export const MICRO_SQUARE = 5;
export const MICRO_RECIPROCAL = 6;
export const MICRO_EXP = 7;
export const MICRO_EXPM1 = 8;
export const MICRO_LOG = 9;
export const MICRO_LOG1P = 10;
export const MICRO_SIN = 11;
export const MICRO_COS = 12;
export const MICRO_TANH = 13;
export const MICRO_ERF = 14;
export const MICRO_SIGMOID = 15;
export const MICRO_SOFTPLUS = 16;
export const MICRO_RELU = 17;
export const MICRO_FLOOR = 18;
export const MICRO_CEIL = 19;
export const MICRO_ROUND = 20; // half to even
export const MICRO_TRUNC = 21;
/** float32 (or bool) to int32, truncating, saturating, NaN → 0; and back. */
export const MICRO_TO_I32 = 22;
export const MICRO_TO_F32 = 23; // with FLAG_F64: to the nearest float32
export const MICRO_NEG_I32 = 24;
export const MICRO_ABS_I32 = 25;
/** Gaussian error linear unit, x·Φ(x) by erf and by tanh, and its derivative. */
export const MICRO_GELU = 26;
export const MICRO_GELU_SLOPE = 27;
export const MICRO_GELU_TANH = 28;
export const MICRO_GELU_TANH_SLOPE = 29;
/** 2ˣ and its inverse, exact where the result is a power of two or a whole number. */
export const MICRO_EXP2 = 30;
export const MICRO_LOG2 = 31;

// Binary forms `d, a, b`. A bool is 0.0 or 1.0 in four bytes; comparisons give bools.
export const MICRO_ADD = 32;
export const MICRO_SUB = 33;
export const MICRO_MUL = 34;
export const MICRO_DIV = 35;
export const MICRO_MIN = 36; // NaN if either is
export const MICRO_MAX = 37;
export const MICRO_POW = 38;
export const MICRO_EQ = 39;
export const MICRO_NE = 40;
export const MICRO_LT = 41;
export const MICRO_LE = 42;
/** dy where y > 0, else 0: `d, y, dy`. */
export const MICRO_RELU_GRAD = 43;
/** dy·(1 − y²): `d, y, dy`. */
export const MICRO_TANH_GRAD = 44;
/** dy·y·(1 − y): `d, y, dy`. */
export const MICRO_SIGMOID_GRAD = 45;
export const MICRO_ADD_I32 = 46;
export const MICRO_SUB_I32 = 47;
export const MICRO_MUL_I32 = 48;
export const MICRO_MIN_I32 = 49;
export const MICRO_MAX_I32 = 50;
export const MICRO_EQ_I32 = 51;
export const MICRO_NE_I32 = 52;
export const MICRO_LT_I32 = 53;
export const MICRO_LE_I32 = 54;
/** The angle of the point (b, a): `d, a, b`. */
export const MICRO_ATAN2 = 56;
/** The remainder of a / b with the sign of a, exact: `d, a, b`. */
export const MICRO_FMOD = 57;

// A unary form, `d, a`, for which 0 … 31 have no room.
export const MICRO_ATAN = 58;

// Vector-scalar forms `d, a, s`: a + s, a − s, s − a, a·s, a / s, s / a, min(a, s), max(a, s).
export const MICRO_ADD_S = 64;
export const MICRO_SUB_S = 65;
export const MICRO_RSUB_S = 66;
export const MICRO_MUL_S = 67;
export const MICRO_DIV_S = 68;
export const MICRO_RDIV_S = 69;
export const MICRO_MIN_S = 70;
export const MICRO_MAX_S = 71;
/** s in every element: `d, s`. */
export const MICRO_FILL = 72;

// Richer forms.
/** a·b + c: `d, a, b, c`. */
export const MICRO_MADD = 80;
/** c − a·b: `d, a, b, c`. */
export const MICRO_NMADD = 81;
/** a·s + c: `d, a, s, c`. */
export const MICRO_AXPY = 82;
/** a·s + b·t: `d, a, s, b, t`. */
export const MICRO_AXPBY = 83;
/** c where a is not 0, else e: `d, a, c, e`. */
export const MICRO_WHERE = 84;
/** a + s·(b − a): `d, a, b, s`. */
export const MICRO_LERP = 85;
/** SGD with momentum: v' = s·v + g; p' = p − t·v': `p', v', p, g, v, s, t`. */
export const MICRO_SGD_MOMENTUM = 86;
/**
 * Adam: m' = m + (1−β₁)(g − m); v' = v + (1−β₂)(g² − v); p' = p − α·m' / (√v'·κ + ε):
 * `p', m', v', p, g, m, v, s = 1−β₁, t = 1−β₂, u = α, κ, ε` (five scalars). α is lr / (1−β₁ᵗ), κ is 1/√(1−β₂ᵗ).
 */
export const MICRO_ADAM = 87;
/** Both forms' value and derivative from one exponential or distribution: `y, slope, a`. */
export const MICRO_GELU_BOTH = 88;
export const MICRO_GELU_TANH_BOTH = 89;

// Reductions `acc, a`: the slot acc is a SLOT_REDUCE.
export const MICRO_SUM = 96;
export const MICRO_REDUCE_MAX = 97; // NaN wins
export const MICRO_REDUCE_MIN = 98;
export const MICRO_PROD = 99;

// The page that threads share: words at these byte offsets, then a cache line for each thread and worker.
//
// A program is run by threads 0 … n − 1. Thread 0 is the caller and thread t is worker t; or, where the workers run it
// alone, worker n acts as thread 0.
/** The present job: its number · 128, JOB_ALONE, and how many threads take part. A worker looks up when it changes. */
export const SYNC_JOB = 0;
/** Not 0 once a thread has failed: the first fault. Every wait at a barrier ends. */
export const SYNC_FAULT = 4;
/** Threads asleep on a futex: only if there are any does a store have to wake them. */
export const SYNC_SLEEPERS = 8;
export const SYNC_PROGRAM = 12;
export const SYNC_TABLE = 16;
/** Scratch memory of thread 0; thread t's lies t · SCRATCH_BYTES further. */
export const SYNC_SCRATCH = 20;
/** Threads that have not done their part of the present job. */
export const SYNC_LEFT = 24;
export const SYNC_LINES = 64;
export const SYNC_LINE = 64;
/** In the line of thread t: how many barriers of the present job it has reached, or FINISHED: its part is done, or failed. */
export const LINE_REACHED = 0;
export const FINISHED = 0x7fffffff;
/**
 * In the line of worker w, its seat: `ticket << SEAT_BITS | SEAT_*`, or 0: nobody sits there. A worker acts only while
 * its own ticket lies there, so one that was given up can wake up late and do no harm.
 */
export const LINE_SEAT = 4;
export const SEAT_BITS = 2;
export const SEAT_COMING = 0;
export const SEAT_WAITING = 1;
export const SEAT_WORKING = 2;
/** Bits of the job word that hold the number of threads, the most there can be, and the bit above: see SYNC_JOB. */
export const SYNC_THREAD_BITS = 6;
export const MAX_THREADS = 63;
export const JOB_ALONE = 64;

/** Floating-point operations of one turn of `multiplyAdds` (limit.ts): twelve accumulators of four lanes, two each. */
export const LIMIT_FLOPS = 96;
