// `npm run bench:derivatives`: what every derivative costs, in multiples of what it is the derivative of, by time and
// by the floating-point operations of its products; and what checkpoint saves and costs. Both sides of a ratio take
// turns, so that whatever slows the machine slows both.
import {
  type Compiled,
  checkpoint,
  compile,
  grad,
  hessian,
  hessianVectorProduct,
  jacobian,
  jvp,
  nn,
  optim,
  type Tensor,
  valueAndGrad,
  vjp,
} from '../src/index.ts';
import { mlp } from './workloads/models.ts';
import { timeRatio } from './workloads/ratio.ts';
import { data, labels } from './workloads/workload.ts';

type Step = Compiled<Tensor[], unknown>;

const flopsOf = (step: Step, args: Tensor[]) => step.profile(...args).rows.reduce((sum, row) => sum + row.flops, 0);

function report(name: string, of: Step, to: Step, args: Tensor[], than: string, times = 1): void {
  const time = timeRatio(
    () => of(...args),
    () => {
      for (let i = 0; i < times; i++) to(...args);
    },
  );
  const flops = flopsOf(of, args) / (flopsOf(to, args) * times);
  console.log(`| ${name} | ${time.toFixed(2)} | ${flops.toFixed(2)} | ${than} |`);
}

console.log('| | time | products | in multiples of |\n| --- | ---: | ---: | --- |');

// An MLP of 784 · 256 · 128 · 10 on a batch of 64.
{
  const net = mlp(784, 256, 128, 10);
  const [x, digits] = [data(64, 784), labels(64, 10)];
  const parameters = net.parameters();
  const along = parameters.map((p) => data(...p.shape));
  const loss = (images: Tensor) => nn.crossEntropy(net.forward(images), digits);
  const args = [x];
  const forward = compile((t: Tensor) => loss(t)) as Step;
  const gradient = compile((t: Tensor) => grad(loss(t), parameters)) as Step;
  const than = 'the loss of an MLP, batch 64';
  report('grad by parameters', gradient, forward, args, than);
  report(
    'valueAndGrad by x and parameters',
    compile((t: Tensor) => [...valueAndGrad(loss)(t), ...grad(loss(t), parameters)]) as Step,
    forward,
    args,
    than,
  );
  report(
    'vjp by x, one pull',
    compile((t: Tensor) => {
      const [y, pull] = vjp((u: Tensor) => net.forward(u) as Tensor, t);
      return [y, ...pull(y)];
    }) as Step,
    compile((t: Tensor) => net.forward(t) as Tensor) as Step,
    args,
    'the logits of the MLP',
  );
  report('jvp along x', compile((t: Tensor) => jvp(loss, [t], [t])) as Step, forward, args, than);
  report(
    'hessianVectorProduct by parameters',
    compile((t: Tensor) => hessianVectorProduct(loss(t), parameters, along)) as Step,
    gradient,
    args,
    'the gradient of the MLP',
  );
}

// Networks small enough for whole matrices.
{
  const net = new nn.Sequential(
    new nn.Linear(10, 64),
    new nn.Tanh(),
    new nn.Linear(64, 64),
    new nn.Tanh(),
    new nn.Linear(64, 10),
  );
  const forward = (t: Tensor) => net.forward(t.reshape(1, 10)).reshape(10) as Tensor;
  const args = [data(10), data(10)];
  const row = compile((t: Tensor, seed: Tensor) => grad(forward(t), [t], { seed })) as Step;
  report(
    'jacobian, 10 → 10',
    compile((t: Tensor, _: Tensor) => jacobian(forward)(t)) as Step,
    row,
    args,
    'ten gradients of the network',
    10,
  );
  const energy = (t: Tensor) => forward(t).square().sum();
  const gradient = compile((t: Tensor, _: Tensor) => grad(energy)(t)) as Step;
  report(
    'hessian of its length, 10 numbers',
    compile((t: Tensor, _: Tensor) => hessian(energy)(t)) as Step,
    gradient,
    args,
    'ten gradients of its length',
    10,
  );
}

// A training step of 50 layers of 128 on a batch of 1,024.
{
  const WIDTH = 128;
  const x = data(1024, WIDTH);
  const step = (segment: number) => {
    const layers = Array.from({ length: 50 }, () => new nn.Sequential(new nn.Linear(WIDTH, WIDTH), new nn.GELU()));
    const optimizer = new optim.SGD(
      layers.flatMap((layer) => layer.parameters()),
      { lr: 1e-3 },
    );
    const through = (part: nn.Sequential[], h: Tensor) => part.reduce((t, layer) => layer.forward(t) as Tensor, h);
    return compile((t: Tensor) => {
      let h = t;
      for (let i = 0; i < 50; i += segment) {
        const part = layers.slice(i, i + segment);
        // What the last segment computes is needed at once.
        h = i + segment < 50 ? checkpoint((u: Tensor) => through(part, u), h) : through(part, h);
      }
      const loss = h.square().mean();
      optimizer.minimize(loss);
      return loss;
    }) as Step;
  };
  const [plain, saving] = [step(50), step(5)];
  report('training step, checkpoint every 5 layers', saving, plain, [x], 'the step of 50 layers without');
  const [stored, left] = [plain, saving].map((s) => s.memory(x).arenaBytes) as [number, number];
  const mib = (n: number) => (n / 2 ** 20).toFixed(1);
  console.log(
    `\narena of that step: ${mib(stored)} MiB without, ${mib(left)} MiB with checkpoint: ${(stored / left).toFixed(2)} times less`,
  );
}
