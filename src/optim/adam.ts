// Adam (Kingma and Ba 2015) with PyTorch's weight decay.

import { state, zeros } from '../create.ts';
import type { DType } from '../dtype.ts';
import { checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { checkOption, Optimizer } from './optimizer.ts';

export interface AdamOptions {
  lr?: number;
  betas?: readonly [number, number];
  eps?: number;
  /** λ of the gradient of λ/2·‖θ‖², added to the gradient. */
  weightDecay?: number;
}

/** m ← m + (1−β₁)(g − m); v ← v + (1−β₂)(g² − v); θ ← θ − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). */
export class Adam extends Optimizer {
  readonly betas: readonly [number, number];
  readonly eps: number;
  weightDecay: number;
  readonly #first: (Tensor | null)[];
  readonly #second: (Tensor | null)[];
  /** Steps made, as a variable, so that a compiled step counts too. */
  readonly #steps = state(zeros([]));
  /** lr/(1−β₁ᵗ) and 1/√(1−β₂ᵗ) of the present step, in each precision that a parameter has. */
  readonly #scales = new Map<DType, { rate: Tensor; correction: Tensor }>();

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    super(parameters, lr);
    checkNames('Adam', options, ['lr', 'betas', 'eps', 'weightDecay']);
    checkOption('Adam', 'betas[0]', betas[0], 0, 1);
    checkOption('Adam', 'betas[1]', betas[1], 0, 1);
    checkOption('Adam', 'eps', eps, 0);
    checkOption('Adam', 'weightDecay', weightDecay, 0);
    this.betas = betas;
    this.eps = eps;
    this.weightDecay = weightDecay;
    this.#first = this.parameters.map(() => null);
    this.#second = this.parameters.map(() => null);
  }

  protected override begin(): void {
    const steps = this.#steps.add(1);
    this.#steps.assign(steps);
    this.#scales.clear();
    for (const { dtype } of this.parameters) {
      if (!this.#scales.has(dtype)) this.#scales.set(dtype, this.#scalesAt(steps.to(dtype)));
    }
  }

  #scalesAt(t: Tensor): { rate: Tensor; correction: Tensor } {
    // 1 − βᵗ = −expm1(t·log β), which loses no digits for β near 1.
    const debias = (beta: number) =>
      t
        .mul(this.number(() => Math.log(beta)))
        .expm1()
        .neg();
    const rate = debias(this.betas[0])
      .reciprocal()
      .mul(this.number(() => this.lr));
    return { rate, correction: debias(this.betas[1]).sqrt().reciprocal() };
  }

  protected override update(p: Tensor, gradient: Tensor, i: number): void {
    const decays = this.uses(() => this.weightDecay !== 0);
    const g = decays ? p.mul(this.number(() => this.weightDecay)).add(gradient) : gradient;
    const m = moved(
      this.#first,
      i,
      p,
      g,
      this.number(() => 1 - this.betas[0]),
    );
    const v = moved(
      this.#second,
      i,
      p,
      g.square(),
      this.number(() => 1 - this.betas[1]),
    );
    const { rate, correction } = this.#scales.get(p.dtype) as { rate: Tensor; correction: Tensor };
    const scale = v
      .sqrt()
      .mul(correction)
      .add(this.number(() => this.eps));
    p.assign(p.sub(m.div(scale).mul(rate)));
  }

  protected override remembered(): Tensor[] {
    return [this.#steps, ...this.#first, ...this.#second].filter((v): v is Tensor => v !== null);
  }
}

/** A moving average moved towards x by a share s. */
function moved(averages: (Tensor | null)[], i: number, p: Tensor, x: Tensor, s: Tensor): Tensor {
  averages[i] ??= state(zeros(p.shape, { dtype: p.dtype }));
  const average = averages[i] as Tensor;
  const next = average.add(x.sub(average).mul(s));
  average.assign(next);
  return next;
}
