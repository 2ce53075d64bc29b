// backward(): leaves requests for gradients in the graph and adds them to what variables have accumulated.
import { NablaError } from './error.ts';
import { filled, gradientRequest, gradients } from './grad.ts';
import type { Node } from './graph/node.ts';
import type { State } from './graph/state.ts';
import { currentTrace } from './graph/trace.ts';
import { walk } from './graph/walk.ts';
import * as e from './ops/elementwise.ts';
import { realise } from './realise.ts';
import { formatShape } from './shape.ts';

/** Adds the gradient of a scalar to that of every variable it depends on; loss and gradients become one group. */
export function backward(loss: Node): void {
  checkLoss(loss);
  const reached = walk([loss], (n) => n.requiresGrad && !isVariable(n));
  const variables = reached.filter(isVariable);
  if (currentTrace() === null) realise(variables.flatMap((n) => pendingGradient(n)));
  const group: Node[] = [loss];
  // What a derivative of one's own reads is no part of the loss's graph, so it is asked for now.
  const atOnce = currentTrace() !== null || reached.some((n) => n.op.wraps);
  const made = gradientsOf(loss, variables, atOnce);
  variables.forEach((n, i) => {
    const state = n.state as State;
    const node = made[i] as Node;
    group.push(node);
    state.grad = state.grad === null ? node : e.add(state.grad, node);
    if (state.grad !== node) group.push(state.grad);
  });
  for (const node of group) node.group = group;
}

/** A version of a variable that wants its gradient; what it was assigned from does not get one through it. */
function isVariable(node: Node): boolean {
  return node.state?.requiresGrad === true;
}

/** The gradient of an earlier backward(), if it is still to be computed. */
function pendingGradient(node: Node): Node[] {
  const before = (node.state as State).grad;
  return before !== null && before.value === null ? [before] : [];
}

function gradientsOf(loss: Node, variables: readonly Node[], atOnce: boolean): Node[] {
  if (!atOnce) return variables.map((v) => gradientRequest(loss, v));
  return gradients(loss, variables).map((g, i) => g ?? filled((variables[i] as Node).shape, 0, variables[i] as Node));
}

function checkLoss(loss: Node): void {
  const { shape } = loss;
  if (loss.nElems !== 1) {
    throw new NablaError(
      'gradient',
      `backward: the loss is ${formatShape(shape)}, expected a scalar; reduce it first, e.g. with .sum() or .mean()`,
      { shape },
    );
  }
  if (loss.requiresGrad && loss.group === null) return;
  const why =
    loss.group !== null || loss.inputs.length === 0
      ? 'its graph is gone: backward() was called on it before, or a step was made; compute the loss again'
      : 'it depends on no parameter or variable that requires a gradient';
  throw new NablaError('gradient', `backward: there is nothing to differentiate: ${why}`);
}
