// ONNX models written by bench/peers/onnx.js, byte for byte as Python's onnx 1.23 serialises the same model.
import { expect, test } from 'vitest';
import { onnxModel } from '../../bench/peers/onnx.js';

const BY_PYTHON =
  'CAg6hQEKHgoBeAoBdxIBeSIER2VtbSoNCgZ0cmFuc0IYAaABAgonCgF5EgF6IgdNYXhQb29sKhYKDGtlcm5lbF9zaGFwZUACQKwCoAEHEgVncmFwaCoTCAEIAhABQgF3SggAAIA/AAAAQFoTCgF4Eg4KDAgBEggKAggDCgIIAmIJCgF6EgQKAggBQgIQDQ==';

test('a model of two operators with a constant is what Python writes', () => {
  const operators = [
    { op: 'Gemm', inputs: ['x', 'w'], output: 'y', ints: { transB: 1 } },
    { op: 'MaxPool', inputs: ['y'], output: 'z', ints: { kernel_shape: [2, 300] } },
  ];
  const w = { elements: Float32Array.of(1, 2), shape: [1, 2] };
  expect(onnxModel(operators, { x: [3, 2] }, { w }).toString('base64')).toBe(BY_PYTHON);
});
