// The physical limit as a side of its own: one thread that does a workload's multiplications and additions on values
// in registers, and nothing else. nabla's rate over its rate is the share of the limit reached.
import v8 from 'node:v8';
import binaryen from 'binaryen';

/** Enough independent chains to hide the latency of one multiply-add; with b and c they fit in 16 registers. */
const ACCUMULATORS = 12;
const UNROLL = 4;
const LANES = 4;
const FLOPS_PER_TURN = 2 * LANES * ACCUMULATORS * UNROLL;

const SIMD = {
  relaxed: (a) => `(f32x4.relaxed_madd ${a} (local.get $b) (local.get $c))`,
  baseline: (a) => `(f32x4.add (f32x4.mul ${a} (local.get $b)) (local.get $c))`,
};

const repeat = (n, text) => Array.from({ length: n }, (_, i) => text(i)).join('\n');

/** run(turns, b, c): a = a·b + c on every accumulator. b and c are arguments: V8 would make constants anew each turn. */
function compileLoop(multiplyAdd) {
  const all = repeat(ACCUMULATORS, (i) => `(local.set $a${i} ${multiplyAdd(`(local.get $a${i})`)})`);
  const sum = Array.from({ length: ACCUMULATORS }, (_, i) => `(local.get $a${i})`).reduce(
    (s, a) => `(f32x4.add ${s} ${a})`,
  );
  const module = binaryen.parseText(`(module
    (func (export "run") (param $turns i32) (param $b0 f32) (param $c0 f32) (result f32)
      (local $b v128) (local $c v128)
      ${repeat(ACCUMULATORS, (i) => `(local $a${i} v128)`)}
      (local.set $b (f32x4.splat (local.get $b0)))
      (local.set $c (f32x4.splat (local.get $c0)))
      ${repeat(ACCUMULATORS, (i) => `(local.set $a${i} (f32x4.splat (f32.convert_i32_u (i32.const ${i}))))`)}
      (loop $turn
        ${repeat(UNROLL, () => all)}
        (br_if $turn (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
      (f32x4.extract_lane 0 ${sum})))`);
  const bytes = module.emitBinary();
  return WebAssembly.validate(bytes) ? new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.run : null;
}

/** The kernels' own choice: relaxed SIMD where there is, or what NABLA_SIMD says. */
function choose() {
  // On Node 20 a flag enables it, which must be set before the first module is compiled.
  if (Number(process.versions.node.split('.')[0]) < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const wanted = process.env.NABLA_SIMD ?? 'relaxed';
  const loop = compileLoop(SIMD[wanted]);
  return loop === null ? ['baseline', compileLoop(SIMD.baseline)] : [wanted, loop];
}

export function start() {
  const [version, run] = choose();
  const job = ({ flops }) => {
    if (flops === null) throw new Error('bound by memory and functions, not by multiply-adds');
    const turns = Math.max(1, Math.round(flops / FLOPS_PER_TURN));
    return { step: () => run(turns, 0.999, 0.001), result: () => null };
  };
  return { version, kinds: new Proxy({}, { get: () => job }) };
}
