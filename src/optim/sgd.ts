// Stochastic gradient descent with momentum (Polyak 1964), Nesterov's form and L2 weight decay, as PyTorch's.

import { state, zeros } from '../create.ts';
import type { DType } from '../dtype.ts';
import { NablaError } from '../error.ts';
import { checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { checkOption, Optimizer } from './optimizer.ts';

export interface SGDOptions {
  lr: number;
  momentum?: number;
  dampening?: number;
  nesterov?: boolean;
  /** λ of the gradient of λ/2·‖θ‖². */
  weightDecay?: number;
}

/** g ← ∇ + λθ; v ← μv + (1 − τ)g (at first v ← g); θ ← θ − lr·v, or with Nesterov θ − lr·(g + μv). */
export class SGD extends Optimizer {
  momentum: number;
  dampening: number;
  weightDecay: number;
  readonly nesterov: boolean;
  readonly #velocities: (Tensor | null)[];
  /** 0 before the first step with dampening, 1 ever after. */
  #started: Tensor | null = null;
  /** What share of the gradient enters the velocity in the present step, in each precision: all of it in the first. */
  readonly #shares = new Map<DType, Tensor>();

  constructor(parameters: Iterable<Tensor>, options: SGDOptions) {
    const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options ?? {};
    super(parameters, lr);
    checkNames('SGD', options, ['lr', 'momentum', 'dampening', 'nesterov', 'weightDecay']);
    checkOption('SGD', 'momentum', momentum, 0);
    checkOption('SGD', 'dampening', dampening, 0);
    checkOption('SGD', 'weightDecay', weightDecay, 0);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new NablaError(
        'option',
        `SGD: nesterov needs a momentum above 0 and no dampening; got ${momentum} and ${dampening}`,
      );
    }
    this.momentum = momentum;
    this.dampening = dampening;
    this.weightDecay = weightDecay;
    this.nesterov = nesterov;
    this.#velocities = this.parameters.map(() => null);
  }

  protected override begin(): void {
    this.#shares.clear();
    if (!this.uses(() => this.dampening !== 0)) return;
    this.#started ??= state(zeros([]));
    const tau = this.number(() => -this.dampening);
    for (const { dtype } of this.parameters) this.#shares.set(dtype, this.#started.to(dtype).mul(tau).add(1));
    this.#started.assign(1);
  }

  protected override update(p: Tensor, gradient: Tensor, i: number): void {
    let g = gradient;
    if (this.uses(() => this.weightDecay !== 0)) g = p.mul(this.number(() => this.weightDecay)).add(g);
    if (this.uses(() => this.momentum !== 0)) g = this.#withMomentum(p, g, i);
    p.assign(p.sub(g.mul(this.number(() => this.lr))));
  }

  #withMomentum(p: Tensor, g: Tensor, i: number): Tensor {
    this.#velocities[i] ??= state(zeros(p.shape, { dtype: p.dtype }));
    const v = this.#velocities[i] as Tensor;
    const momentum = this.number(() => this.momentum);
    const share = this.#shares.get(p.dtype);
    const next = v.mul(momentum).add(share === undefined ? g : g.mul(share));
    v.assign(next);
    return this.nesterov ? next.mul(momentum).add(g) : next;
  }

  protected override remembered(): Tensor[] {
    return [...this.#velocities, this.#started].filter((v): v is Tensor => v !== null);
  }
}
