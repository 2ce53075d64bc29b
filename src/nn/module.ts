// The base of layers and models: parameters found by walking fields, training mode, names. What a compiled
// function reads of a module's fields is guarded, so a changed field makes a new trace.

import { variable } from '../create.ts';
import { NablaError } from '../error.ts';
import { inLayer } from '../graph/node.ts';
import { guard } from '../graph/trace.ts';
import { formatShape, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** A tensor as a trainable variable: `backward()` fills its gradient, an optimizer updates it. */
export function parameter(initial: Tensor): Tensor {
  if (initial.dtype !== 'float32') {
    throw new NablaError('dtype', `parameter: got ${initial.dtype}, expected float32`, { dtype: initial.dtype });
  }
  return variable(initial, true);
}

/**
 * Reads through this proxy are guards while a trace is under way, and a layer's `forward` marks nodes and errors with
 * the name under which the layer was read last: `this.attn.forward(x)` is `attn (MultiheadAttention)`.
 */
const watched: ProxyHandler<Module> = {
  get(target, key, receiver) {
    const value = Reflect.get(target, key, receiver);
    if (key === 'forward' && typeof value === 'function') return named(receiver, value);
    if (typeof value === 'function' || typeof key === 'symbol') return value;
    if (value instanceof Module) calledAs.set(value, key);
    else if (Array.isArray(value)) {
      for (const [i, x] of value.entries()) if (x instanceof Module) calledAs.set(x, `${key}.${i}`);
    }
    return guard(() => Reflect.get(target, key, receiver));
  },
};

/** What a module is called by the one that holds it; nothing for the outermost. */
const calledAs = new WeakMap<Module, string>();
/** The module whose `forward` is under way: it may call itself without being a layer of its own. */
let inside: Module | null = null;

function named(module: Module, forward: Module['forward']): Module['forward'] {
  const name = calledAs.get(module);
  if (name === undefined || module === inside) return forward;
  return (...inputs) => {
    const before = inside;
    inside = module;
    try {
      return inLayer(`${name} (${module.constructor.name})`, () => forward.apply(module, inputs));
    } finally {
      inside = before;
    }
  };
}

/**
 * Extend it: assign parameters, layers and arrays of layers to fields and define `forward`. Parameters are found in
 * the order of the fields.
 */
export abstract class Module {
  /** Whether layers such as Dropout act as in training; `train()` and `eval()` set it. */
  training = true;

  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: fields of subclasses are then read through the proxy
    return new Proxy(this, watched);
  }

  /** The layer's function; what it takes and gives is each layer's own. */
  // biome-ignore lint/suspicious/noExplicitAny: a subclass declares its own arguments and result
  abstract forward(...inputs: any[]): any;

  /** What it holds, by the names from which those of parameters are made. */
  children(): [string, unknown][] {
    return Object.entries(this);
  }

  /** Calls a layer with errors and nodes marked by this name, instead of that of the field it was read from. */
  protected within(name: string, layer: Module, x: Tensor): Tensor {
    calledAs.set(layer, name);
    return layer.forward(x);
  }

  /** Every tensor field of this module and its submodules: `0.weight`, `encoder.bias`, … each once. */
  namedTensors(): [string, Tensor][] {
    const seen = new Set<unknown>();
    const found: [string, Tensor][] = [];
    visit(this, '', (path, x) => {
      if (seen.has(x)) return;
      seen.add(x);
      if (x instanceof Tensor) found.push([path, x]);
    });
    return found;
  }

  /** Parameters by name. A tied weight appears once, under its first name. */
  namedParameters(): [string, Tensor][] {
    return this.namedTensors().filter(([, t]) => t.state !== null && t.requiresGrad);
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /** This module and all below it. */
  modules(): Module[] {
    const found = new Set<Module>();
    visit(this, '', (_, x) => {
      if (x instanceof Module) found.add(x);
    });
    return [...found];
  }

  train(on = true): this {
    for (const m of this.modules()) m.training = on;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null;
  }

  /** Variables by name: what `saveSafetensors` writes. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.namedTensors().filter(([, t]) => t.state !== null));
  }

  /** Takes over values by name. Names and shapes are all checked before any is taken. */
  loadStateDict(values: Readonly<Record<string, Tensor>>): void {
    const own = this.stateDict();
    const fail = (why: string) => {
      throw new NablaError('data', `loadStateDict: ${why}`);
    };
    const missing = Object.keys(own).filter((name) => !(name in values));
    const unknown = Object.keys(values).filter((name) => !(name in own));
    if (missing.length > 0)
      fail(`no value for ${missing.join(', ')}; got ${Object.keys(values).join(', ') || 'nothing'}`);
    if (unknown.length > 0) fail(`the model has no ${unknown.join(', ')}; it has ${Object.keys(own).join(', ')}`);
    for (const [name, t] of Object.entries(own)) {
      const value = values[name] as Tensor;
      if (!sameShape(value.shape, t.shape) || value.dtype !== t.dtype) {
        fail(`${name} is ${t.dtype} ${formatShape(t.shape)}, got ${value.dtype} ${formatShape(value.shape)}`);
      }
    }
    for (const [name, t] of Object.entries(own)) t.assign(values[name] as Tensor);
  }
}

/** Calls `f` for a module and all it holds, by the path of field names. */
function visit(x: unknown, path: string, f: (path: string, x: unknown) => void): void {
  if (x instanceof Tensor) f(path, x);
  else if (x instanceof Module || Array.isArray(x)) {
    f(path, x);
    for (const [key, inner] of x instanceof Module ? x.children() : Object.entries(x))
      visit(inner, path === '' ? key : `${path}.${key}`, f);
  }
}
