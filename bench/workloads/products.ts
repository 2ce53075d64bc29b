// Matrix products and convolutions, forward and backward.
import { compile, nn, type Tensor } from '../../src/index.ts';
import { data, type Workload } from './workload.ts';

export interface Product {
  m: number;
  n: number;
  k: number;
  batch?: number;
  transpose?: 'a' | 'b';
}

/** C[m,n] = A[m,k]·B[k,n]. All but one row of it stays where it is: a large output is not copied out in the timing. */
export function product(name: string, { m, n, k, batch = 1, transpose }: Product): Workload {
  const lead = batch > 1 ? [batch] : [];
  const stop = { stop: 1 };
  return {
    name,
    prepare: () => {
      const a = nn.parameter(transpose === 'a' ? data(...lead, k, m) : data(...lead, m, k));
      const b = nn.parameter(transpose === 'b' ? data(...lead, n, k) : data(...lead, k, n));
      const run = compile(() => {
        const c = (transpose === 'a' ? a.T : a).matmul(transpose === 'b' ? b.T : b);
        return batch > 1 ? c.slice(stop, stop) : c.slice(stop);
      });
      return () => run();
    },
  };
}

export interface Convolution {
  n: number;
  c: number;
  o: number;
  size: number;
  kernel: number;
  stride?: number;
  padding?: number;
  dilation?: number;
  groups?: number;
}

export type Pass = 'forward' | 'dx' | 'dw';

/** One of the three products of a convolution of square images with square kernels. */
export function convolution(name: string, shape: Convolution, pass: Pass): Workload {
  const { n, c, o, size, kernel, stride = 1, padding = 0, dilation = 1, groups = 1 } = shape;
  const out = Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    name: `${name} ${pass}`,
    prepare: () => {
      const x = nn.parameter(data(n, c, size, size));
      const w = nn.parameter(data(o, c / groups, kernel, kernel));
      const dy = nn.parameter(data(n, o, out, out));
      const run = compile(() => {
        const y = nn.conv2d(x, w, { stride, padding, dilation, groups });
        const result = pass === 'forward' ? y : gradientOf(y, dy, pass === 'dx' ? x : w);
        return result.slice({ stop: 1 }, { stop: 1 });
      });
      return () => run();
    },
  };
}

/** dy sent back through y: the gradient of Σ y·dy. */
function gradientOf(y: Tensor, dy: Tensor, x: Tensor): Tensor {
  y.mul(dy).sum().backward();
  return x.grad as Tensor;
}
