// A small residual network (He et al. 2015) without normalisation: blocks x + conv(relu(conv(x))), a mean over the image,
// a linear layer.
import { nn, type Tensor } from '../../src/index.ts';

class ResidualBlock extends nn.Module {
  first: nn.Conv2d;
  second: nn.Conv2d;

  constructor(channels: number) {
    super();
    this.first = new nn.Conv2d(channels, channels, 3, { padding: 1 });
    this.second = new nn.Conv2d(channels, channels, 3, { padding: 1 });
  }

  forward(x: Tensor): Tensor {
    const inner = this.second.forward(this.first.forward(x).relu());
    return x.add(inner).relu();
  }
}

class MeanOfImage extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.mean([2, 3]);
  }
}

/** Images [B, 3, H, W] → logits [B, 10]. */
export function residual(blocks: number, channels: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(3, channels, 3, { padding: 1 }),
    new nn.ReLU(),
    ...Array.from({ length: blocks }, () => new ResidualBlock(channels)),
    new MeanOfImage(),
    new nn.Linear(channels, 10),
  );
}
