// Activations as layers: each is the tensor's method of the same name. ReLU, Sigmoid, Tanh, GELU and Softmax stand
// with the first layers.
import { full } from '../create.ts';
import { NablaError } from '../error.ts';
import { checkCount, checkNames } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { Module, parameter } from './module.ts';

function checkFinite(op: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new NablaError('option', `${op}: ${name} is ${value}; expected a finite number`, { op, option: name, value });
}

function checkPositive(op: string, name: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw new NablaError('option', `${op}: ${name} is ${value}; expected a finite number above 0`, {
    op,
    option: name,
    value,
  });
}

/** x between 0 and 6. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return x.relu6();
  }
}

/** x where it is positive, else x·negativeSlope. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    checkFinite('LeakyReLU', 'negativeSlope', negativeSlope);
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }
}

/** x where it is positive, else x·weight: weight [numParameters], one for all or one a channel (axis 1), learns. */
export class PReLU extends Module {
  weight: Tensor;

  constructor(numParameters = 1, options: { init?: number } = {}) {
    super();
    const { init = 0.25 } = options;
    checkNames('PReLU', options, ['init']);
    checkCount('PReLU', 'numParameters', numParameters);
    checkFinite('PReLU', 'init', init);
    this.weight = parameter(full([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    return x.prelu(this.weight);
  }
}

/** x where it is positive, else alpha·(eˣ − 1). */
export class ELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    checkFinite('ELU', 'alpha', alpha);
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }
}
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return x.selu();
  }
}
/** x where it is positive, else alpha·(e^(x/alpha) − 1). */
export class CELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    checkPositive('CELU', 'alpha', alpha);
    this.alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return x.celu(this.alpha);
  }
}
/** x·sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}
/** x·tanh(softplus(x)). */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return x.mish();
  }
}

/** x between two numbers. */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;

  constructor(minVal = -1, maxVal = 1) {
    super();
    if (!(minVal < maxVal)) throw new NablaError('option', `Hardtanh: minVal ${minVal} is not below maxVal ${maxVal}`);
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  forward(x: Tensor): Tensor {
    return x.hardtanh(this.minVal, this.maxVal);
  }
}
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.hardsigmoid();
  }
}
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return x.hardswish();
  }
}
/** x/(1 + |x|). */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return x.softsign();
  }
}

/** log(1 + e^(beta·x))/beta, stable for any x: PyTorch's threshold is not needed. */
export class Softplus extends Module {
  readonly beta: number;

  constructor(beta = 1) {
    super();
    checkPositive('Softplus', 'beta', beta);
    this.beta = beta;
  }

  forward(x: Tensor): Tensor {
    return this.beta === 1 ? x.softplus() : x.mul(this.beta).softplus().div(this.beta);
  }
}
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.logSigmoid();
  }
}
