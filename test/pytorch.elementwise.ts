// How the elementwise functions, activations and logic of the fixtures are called: see pytorch.ops.test.ts. What is not
// here is a method of the fixture's name without options.
import { nn, type Tensor } from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: options differ from op to op and come from a file
type Run = (t: Tensor[], options: any) => Tensor;
type Given = [Tensor, Tensor, Tensor];

const COMPARED = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor'] as const;

export const elementwise: Record<string, Run> = {
  ...called(Object.fromEntries(COMPARED.map((name) => [name, ([x, y]) => x.add(y.mul(2)).mul(x[name](y))]))),
  ...called({
    logicalNot: ([x]) => x.add(1).mul(x.logicalNot()),
    isnan: ([x]) => x.mul(x.detach().log().isnan()),
    isinf: ([x]) => x.mul(x.detach().trunc().reciprocal().isinf()),
    isfinite: ([x]) => x.mul(x.detach().trunc().reciprocal().isfinite()),
    fmodNumber: ([x], { divisor }) => x.fmod(divisor),
    remainderNumber: ([x], { divisor }) => x.remainder(divisor),
    clamp: ([x], { min, max }) => x.clamp(min, max),
    clampTensors: ([x, low, high]) => x.clamp(low, high),
    lerp: ([x, y], { weight }) => x.lerp(y, weight),
    lerpTensor: ([x, y, weight]) => x.lerp(y, weight),
    leakyRelu: ([x], { negativeSlope }) => new nn.LeakyReLU(negativeSlope).forward(x),
    elu: ([x], { alpha }) => new nn.ELU(alpha).forward(x),
    celu: ([x], { alpha }) => new nn.CELU(alpha).forward(x),
    hardtanh: ([x], { minVal, maxVal }) => new nn.Hardtanh(minVal, maxVal).forward(x),
    softplusBeta: ([x], { beta }) => new nn.Softplus(beta).forward(x),
    relu6: ([x]) => new nn.ReLU6().forward(x),
    selu: ([x]) => new nn.SELU().forward(x),
    silu: ([x]) => new nn.SiLU().forward(x),
    mish: ([x]) => new nn.Mish().forward(x),
    hardsigmoid: ([x]) => new nn.Hardsigmoid().forward(x),
    hardswish: ([x]) => new nn.Hardswish().forward(x),
    softsign: ([x]) => new nn.Softsign().forward(x),
    logSigmoid: ([x]) => new nn.LogSigmoid().forward(x),
    siluOfTranspose: ([x]) => x.T.silu(),
    atan2OfSlices: ([x, y]) => x.slice({ step: 2 }).atan2(y.slice(null, { start: 1 })),
  }),
};

// biome-ignore lint/suspicious/noExplicitAny: as above
function called(runs: Record<string, (t: Given, options: any) => Tensor>): Record<string, Run> {
  return runs as Record<string, Run>;
}
