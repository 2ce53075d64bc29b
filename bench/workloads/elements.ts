// Rows and elements: softmax cross-entropy and activations, each with its gradient.
import { compile, nn, state, type Tensor, zeros } from '../../src/index.ts';
import { data, labels, type Workload } from './workload.ts';

/** Mean cross-entropy of logits [rows, classes] and its gradient, which stays in a variable. */
export function crossEntropy(rows: number, classes: number): Workload {
  return {
    name: `W5 cross-entropy [${rows},${classes}]`,
    unit: 'rows',
    items: rows,
    prepare: () => {
      const logits = nn.parameter(data(rows, classes).mul(8));
      const target = state(labels(rows, classes));
      const gradient = state(zeros([rows, classes]));
      const run = compile(() => {
        const loss = nn.crossEntropy(logits, target);
        loss.backward();
        gradient.assign(logits.grad as Tensor);
        return loss;
      });
      return () => run();
    },
  };
}

/** y = f(x) and dx = dy·f'(x) of n elements, both kept in variables. */
export function activation(name: string, f: (x: Tensor) => Tensor, n = 1 << 20): Workload {
  return {
    name: `W6 ${name} with gradient`,
    unit: 'elements',
    items: n,
    prepare: () => {
      const x = nn.parameter(data(n).mul(8));
      const dy = state(data(n));
      const [y, dx] = [state(zeros([n])), state(zeros([n]))];
      const run = compile(() => {
        const value = f(x);
        value.mul(dy).sum().backward();
        y.assign(value);
        dx.assign(x.grad as Tensor);
      });
      return () => run();
    },
  };
}
