// The op table on the baseline binary, which is chosen before the library is imported.
process.env.NABLA_SIMD = 'baseline';
const { suite } = await import('./ops.suite.ts');
suite('baseline');

export {};
