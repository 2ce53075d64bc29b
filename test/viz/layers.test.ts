// Which layer a node came from, in models that call their layers by hand.
import { describe, expect, test } from 'vitest';
import { compile, grad, nn, type Tensor } from '../../src/index.ts';
import { random } from '../helpers.ts';
import { Block } from './pictures.ts';

/** Layers of all nodes below, in order of evaluation, each once. */
function layersOf(y: Tensor): string[] {
  const seen = new Set<object>();
  const layers = new Set<string>();
  const visit = (node: Tensor['node']) => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const input of node.inputs) visit(input);
    if (node.inputs.length > 0) layers.add(node.layer);
  };
  visit(y.node);
  return [...layers];
}

const linear = () => new nn.Linear(2, 2);
const x = random(1, [3, 2]);

describe('a layer is called by the field it is read from', () => {
  test('fields, arrays and layers within layers', () => {
    const y = new Block().forward(random(1, [2, 4, 8]));
    expect(layersOf(y)).toEqual([
      'ln (LayerNorm)',
      'attn (MultiheadAttention)',
      'attn (MultiheadAttention).outProj (Linear)',
      '',
      'mlp.0 (Linear)',
      'mlp.1 (Linear)',
    ]);
  });

  test('Sequential calls its layers by their numbers, inside another model too', () => {
    class Model extends nn.Module {
      body = new nn.Sequential(linear(), new nn.Sequential(linear()));
      forward(input: Tensor): Tensor {
        return this.body.forward(input);
      }
    }
    const y = new Model().forward(x);
    expect(layersOf(y)).toEqual(['body (Sequential).0 (Linear)', 'body (Sequential).1 (Sequential).0 (Linear)']);
  });

  test('a layer that calls itself again is no layer of its own', () => {
    class Twice extends nn.Module {
      inner = linear();
      forward(input: Tensor, more = true): Tensor {
        const y = this.inner.forward(input);
        return more ? this.forward(y, false) : y;
      }
    }
    class Model extends nn.Module {
      twice = new Twice();
      forward(input: Tensor): Tensor {
        return this.twice.forward(input);
      }
    }
    expect(layersOf(new Model().forward(x))).toEqual(['twice (Twice).inner (Linear)']);
  });

  test('one layer under two names is called by the one in use', () => {
    class Tied extends nn.Module {
      first = linear();
      second = this.first;
      forward(input: Tensor): Tensor {
        return this.second.forward(this.first.forward(input).neg());
      }
    }
    expect(layersOf(new Tied().forward(x))).toContain('second (Linear)');
  });

  test('a derivative belongs to the layer of what it is a derivative of', () => {
    const model = new Block();
    const loss = model
      .forward(random(1, [2, 4, 8]))
      .square()
      .sum();
    const [dw] = grad(loss, [(model.mlp[1] as nn.Linear).weight]);
    expect(dw.node.layer).toBe('mlp.1 (Linear)');
  });

  test('the mask of a ReLU stays in its layer, though a linear layer below passes it on', () => {
    const model = new nn.Sequential(linear(), new nn.ReLU(), linear());
    const [db] = grad(model.forward(x).sum(), [model.at(0).bias]);
    const layers = new Map<string, string>();
    const visit = ({ op, layer, inputs }: Tensor['node']) => {
      layers.set(op.name, layer);
      inputs.forEach(visit);
    };
    visit(db.node);
    expect(layers.get('where')).toBe('1 (ReLU)');
  });

  test('an error names it', () => {
    class Model extends nn.Module {
      up = linear();
      forward(input: Tensor): Tensor {
        return this.up.forward(input);
      }
    }
    expect(() => new Model().forward(random(1, [3, 5]))).toThrow(/\(in layer up \(Linear\)\)$/);
  });

  test('compiled as well, and traced once', () => {
    const model = new Block();
    const f = compile((input: Tensor) => model.forward(input));
    const input = random(1, [2, 4, 8]);
    expect([...f(input).data()]).toEqual([...f(input).data()]);
    expect(f.traces).toBe(1);
    expect(f.memoryPlan(input).instructions.map((i) => i.layer)).toContain('mlp.1 (Linear)');
  });
});
