// What the pictures take, and the errors for what they do not.
import { NablaError } from '../error.ts';
import { checkNames, isPlain } from '../options.ts';
import { Tensor } from '../tensor.ts';

/** A tensor, several, or several with names: `{ y, dx }`. */
export type Outputs = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Derivatives to draw: of a scalar, with respect to some of what it depends on. */
export interface Gradients {
  of: Tensor;
  wrt: readonly Tensor[];
}

export interface DrawOptions {
  /** Names for tensors anywhere in the graph: `{ x, z, a }`, `model.stateDict()`. */
  names?: Readonly<Record<string, Tensor>>;
  /** Each node with its value: small tensors in full, of large ones the range. Computes them. */
  values?: boolean;
  /**
   * Forward plus backward. With `values`, every node on the way from `wrt` to `of` has its adjoint under its value, as
   * in a lecture; without, the backward pass is drawn as nodes of its own, down to each gradient.
   */
  gradients?: Gradients;
  /** 'layer' frames the nodes of each layer; by default where there is more than one. */
  group?: 'layer' | 'none';
  /**
   * Chains of elementwise nodes as one, transposes written where they are used; by default without values, by layers or
   * in graphs of more than 30 nodes. 'layers': also what a layer does as one; by default where it would be more than 100.
   */
  fold?: boolean | 'layers';
  title?: string;
  /** From left to right or from top to bottom; by default to the right, by layers to the bottom. */
  direction?: 'LR' | 'TB';
}

const OPTIONS = ['names', 'values', 'gradients', 'group', 'fold', 'title', 'direction'];

/** The outputs with their names; a tensor alone is `y`, those of a list `y0`, `y1`, … */
export interface NamedOutput {
  tensor: Tensor;
  name: string;
  /** Whether the name is the user's. */
  given: boolean;
}

export function readOutputs(who: string, outputs: Outputs): NamedOutput[] {
  if (outputs instanceof Tensor) return [{ tensor: outputs, name: 'y', given: false }];
  const list = Array.isArray(outputs);
  const entries = isObject(outputs) ? Object.entries(outputs) : [];
  const wrong = entries.find(([, x]) => !(x instanceof Tensor));
  if (entries.length === 0 || wrong !== undefined) {
    const found =
      wrong !== undefined && (list || isPlain(outputs))
        ? `${list ? `item ${wrong[0]}` : wrong[0]} is ${kindOf(wrong[1])}`
        : kindOf(outputs);
    throw new NablaError(
      'option',
      `${who}: ${found}; expected a tensor, a list of tensors or an object of them: { y, dx }`,
    );
  }
  return entries.map(([key, tensor]) => ({ tensor, name: list ? `y${key}` : key, given: !list }));
}

/** Throws at the first option that is none or holds what it must not. */
export function checkOptions(who: string, options: DrawOptions): void {
  checkNames(who, options, OPTIONS);
  const { names = {}, gradients, group, fold, direction } = options;
  const fail = (why: string): never => {
    throw new NablaError('option', `${who}: ${why}`);
  };
  if (!isObject(names)) fail(`names is ${kindOf(names)}; expected an object of tensors: { x, w }`);
  for (const [name, x] of Object.entries(names)) {
    if (!(x instanceof Tensor)) fail(`names.${name} is ${kindOf(x)}; expected a tensor`);
  }
  if (group !== undefined && group !== 'layer' && group !== 'none') {
    fail(`group is '${group}'; expected 'layer' or 'none'`);
  }
  if (fold !== undefined && typeof fold !== 'boolean' && fold !== 'layers') {
    fail(`fold is ${typeof fold === 'string' ? `'${fold}'` : kindOf(fold)}; expected true, false or 'layers'`);
  }
  if (direction !== undefined && direction !== 'LR' && direction !== 'TB') {
    fail(`direction is '${direction}'; expected 'LR' or 'TB'`);
  }
  if (gradients === undefined) return;
  const { of, wrt } = (isObject(gradients) ? gradients : {}) as Partial<Gradients>;
  if (!(of instanceof Tensor) || !Array.isArray(wrt) || !wrt.every((x) => x instanceof Tensor)) {
    fail('gradients: expected { of: y, wrt: [x, …] } with tensors');
  }
}

function isObject(x: unknown): x is object {
  return typeof x === 'object' && x !== null && !(x instanceof Tensor);
}

/** A model, say, instead of what its forward returns. */
function ofClass(x: object): string {
  const { name = 'Object' } = x.constructor ?? {};
  return name === 'Object' ? 'an object' : `an object of class ${name}`;
}

function kindOf(x: unknown): string {
  if (x instanceof Tensor) return 'a tensor';
  if (Array.isArray(x)) return x.length === 0 ? 'an empty list' : 'a list';
  if (isObject(x)) return Object.keys(x).length === 0 ? 'an empty object' : ofClass(x);
  return x === null ? 'null' : typeof x;
}
