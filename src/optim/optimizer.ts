// What optimizers share: parameters, checks, and the step that makes new versions of them.

import { runtimeScalar } from '../create.ts';
import { NablaError } from '../error.ts';
import { noGrad } from '../functions.ts';
import { inLayerOf } from '../graph/node.ts';
import { currentTrace, guard } from '../graph/trace.ts';
import { realise } from '../realise.ts';
import { formatShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Throws unless `least ≤ value` (`< below`), and it is a number. */
export function checkOption(
  optimizer: string,
  name: string,
  value: number,
  least: number,
  below = Number.POSITIVE_INFINITY,
): void {
  if (typeof value === 'number' && value >= least && value < below) return;
  const range =
    below === Number.POSITIVE_INFINITY ? `a finite number from ${least}` : `a number from ${least} to below ${below}`;
  throw new NablaError('option', `${optimizer}: ${name} is ${value}; expected ${range}`, {
    optimizer,
    option: name,
    value,
  });
}

export abstract class Optimizer {
  readonly parameters: readonly Tensor[];
  /** Learning rate; read at every step, so it may be set to follow a schedule. */
  lr: number;

  constructor(parameters: Iterable<Tensor>, lr: number) {
    const { name } = new.target;
    if (typeof parameters?.[Symbol.iterator] !== 'function') {
      throw new NablaError('option', `${name}: got no list of parameters; expected model.parameters()`);
    }
    const list = [...parameters];
    const wrong = list.findIndex((p) => !(p instanceof Tensor) || p.state === null);
    if (wrong >= 0)
      throw new NablaError(
        'option',
        `${name}: parameter ${wrong} is no variable; expected model.parameters() or nn.parameter(t)`,
      );
    if (list.length === 0) throw new NablaError('option', `${name}: got no parameters; expected model.parameters()`);
    checkOption(name, 'lr', lr, 0);
    this.parameters = [...new Map(list.map((p) => [p.state, p])).values()];
    this.lr = lr;
  }

  /** Assigns the next version of parameter i and of what the optimizer remembers of it. */
  protected abstract update(parameter: Tensor, gradient: Tensor, i: number): void;

  /** Called once before the updates of a step. */
  protected begin(): void {}

  /** A number of this optimizer, read at each run: changing it makes no new plan. */
  protected number(read: () => number): Tensor {
    return runtimeScalar(read);
  }

  /** Whether an option is in use: this is structure, so a compiled step is traced anew when it changes. */
  protected uses(read: () => boolean): boolean {
    return guard(read);
  }

  /** Forgets the gradients, so the next `backward()` starts from none. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = null;
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    const ready = this.parameters.filter((p) => p.grad !== null);
    if (ready.length === 0) {
      throw new NablaError(
        'gradient',
        `${this.constructor.name}.step: no parameter has a gradient; call loss.backward() first`,
      );
    }
    this.#apply(this.parameters.map((p) => p.grad));
  }

  /** zeroGrad, backward and step in one, and every parameter must take part: the short form inside compile(). */
  minimize(loss: Tensor): void {
    this.zeroGrad();
    loss.backward();
    this.parameters.forEach((p, i) => {
      if (p.grad !== null) return;
      throw new NablaError(
        'gradient',
        `${this.constructor.name}.minimize: the loss does not depend on parameter ${i} ${formatShape(p.shape)}; leave it out of the optimizer or use it`,
        { index: i },
      );
    });
    this.step();
  }

  #apply(gradients: readonly (Tensor | null)[]): void {
    noGrad(() => {
      this.begin();
      this.parameters.forEach((p, i) => {
        const gradient = gradients[i];
        if (gradient) inLayerOf(gradient.node, () => this.update(p, gradient, i));
      });
    });
    if (currentTrace() === null) realise(this.pending(), true);
  }

  /** Everything a step assigned. */
  protected pending() {
    return [...this.parameters, ...this.remembered()].map((t) => t.node);
  }

  /** The variables an optimizer keeps beside the parameters. */
  protected abstract remembered(): Tensor[];
}
