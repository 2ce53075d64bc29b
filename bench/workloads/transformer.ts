// A transformer block as in GPT-2 (Radford et al. 2019), trained by Adam.
import { compile, nn, optim, type Tensor } from '../../src/index.ts';
import { data, labels, type Workload } from './workload.ts';

export interface Sizes {
  batch: number;
  tokens: number;
  width: number;
  heads: number;
  hidden: number;
  vocabulary: number;
}

/** x + attention(norm(x)), then + mlp(norm(·)), then logits: x [B,T,D] → [B,T,V]. */
export class Block extends nn.Module {
  norm1: nn.LayerNorm;
  attention: nn.MultiheadAttention;
  norm2: nn.LayerNorm;
  up: nn.Linear;
  down: nn.Linear;
  norm3: nn.LayerNorm;
  head: nn.Linear;

  constructor({ width, heads, hidden, vocabulary }: Sizes) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.attention = new nn.MultiheadAttention(width, heads);
    this.norm2 = new nn.LayerNorm(width);
    this.up = new nn.Linear(width, hidden);
    this.down = new nn.Linear(hidden, width);
    this.norm3 = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary, { bias: false });
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attention.forward(this.norm1.forward(x), { isCausal: true }));
    const expanded = this.up.forward(this.norm2.forward(attended)).gelu({ approximate: 'tanh' });
    return this.head.forward(this.norm3.forward(attended.add(this.down.forward(expanded))));
  }
}

export function transformer(name: string, sizes: Sizes): Workload {
  const { batch, tokens, width, vocabulary } = sizes;
  return {
    name,
    unit: 'tokens',
    items: batch * tokens,
    prepare: () => {
      const model = new Block(sizes);
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      const x = data(batch, tokens, width);
      const next = labels(batch * tokens, vocabulary);
      const step = compile((input: Tensor, target: Tensor) => {
        const logits = model.forward(input).reshape(-1, vocabulary);
        const loss = nn.crossEntropy(logits, target);
        optimizer.minimize(loss);
        return loss;
      });
      return () => step(x, next);
    },
  };
}
