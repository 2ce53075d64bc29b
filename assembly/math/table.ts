// Reading the constants of vector math. They live in read-only tables, because V8 makes an f32x4.splat(constant)
// anew at every use, which halves the speed of a loop; a load-and-splat from a fixed address is one instruction.

/** Constant i of a table of float32, in all lanes. */
// @ts-ignore: decorator
@inline
export function constant(table: usize, i: i32): v128 {
  return v128.load32_splat(table + (<usize>i << 2));
}

/** Constant i of a table of float64, in both lanes. */
// @ts-ignore: decorator
@inline
export function constant64(table: usize, i: i32): v128 {
  return v128.load64_splat(table + (<usize>i << 3));
}
