// What must hold of every graph. No product path pays for it: tests call it between passes.
import { sameShape } from '../shape.ts';
import type { Node } from './node.ts';
import { isName, waysToRun } from './op.ts';

/** Throws at the first node below `roots` that breaks an invariant. */
export function checkGraph(roots: readonly Node[]): void {
  const seen = new Set(roots);
  // A set grows while it is walked; a cycle needs an input that is no older, which is what is looked for.
  for (const node of seen) {
    const wrong = fault(node);
    if (wrong !== null) throw new Error(`checkGraph: ${node.op.name} [${node.shape}] #${node.id}: ${wrong}`);
    for (const input of node.inputs) seen.add(input);
  }
}

function fault(node: Node): string | null {
  const { op, inputs, attrs, value } = node;
  const newer = inputs.find((i) => i.id >= node.id);
  if (newer !== undefined) return `its input ${newer.op.name} #${newer.id} is no older`;
  if (value !== null && (value.nElems !== node.nElems || value.dtype !== node.dtype)) {
    return `it is ${node.dtype}, its value ${value.dtype} of ${value.nElems} elements`;
  }
  if (inputs.length === 0) return null;
  const [shape, dtype] = [op.shape(inputs, attrs), op.dtype(inputs, attrs)];
  if (!sameShape(shape, node.shape)) return `its op gives the shape [${shape}]`;
  if (dtype !== node.dtype) return `it is ${node.dtype}, its op gives ${dtype}`;
  const ways = waysToRun(op);
  if (ways.length !== 1 && !isName(op)) return `it has ${ways.join(' and ') || 'no way'} to run; expected exactly one`;
  if (op.forms !== undefined && op.forms[(inputs[0] as Node).dtype] === undefined) {
    return `it has no form for ${(inputs[0] as Node).dtype}`;
  }
  return null;
}
