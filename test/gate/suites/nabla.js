// Benchmarks of nabla as the package's users write them.
import { compile, counters, rand, tensor } from '../../../build/nabla/index.js';

const x = tensor(rand([64, 64]).data(), { shape: [64, 64] });
const product = compile((a) => a.matmul(a).relu());

export default {
  product: () => product(x),
  async: () => product.async(x),
  'counted inside': () => counters(() => product(x)),
};
