// The op table on the relaxed binary, which is chosen before the library is imported.
process.env.NABLA_SIMD = 'relaxed';
const { suite } = await import('./ops.suite.ts');
suite('relaxed');

export {};
