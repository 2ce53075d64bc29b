// What the host tells the kernels about itself when it instantiates them.

/**
 * 1 where a load that splats costs more than a load of four copies (Deno, Bun): GEMM then packs A splatted. In Bun a
 * packed product is 1.6 times as fast by it, in Deno 1.05 times; in Node it would lose a tenth.
 */
@external("env", "splatted")
export declare const SPLATTED: i32;
