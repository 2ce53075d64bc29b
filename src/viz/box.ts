// What a picture consists of: a box a node, or a chain of them.
import type { Shape } from '../shape.ts';

export type Kind = 'input' | 'parameter' | 'state' | 'number' | 'op';

/** One operation of a box. An argument is another box, or text: a number, or `·` for the step before. */
export interface Step {
  name: string;
  args: readonly (Box | string)[];
  /** Places of the arguments that are taken transposed. */
  transposed: readonly number[];
  /** What else distinguishes it: `axes 0`. */
  attrs: readonly string[];
  /** Whether it stands for all that a layer does, so that its arguments have no places. */
  isPiece?: true;
}

export interface Box {
  kind: Kind;
  /** One word for it, its own in this picture: the first name given, or a made one such as `v3`. */
  id: string;
  /** Names given to it. */
  names: readonly string[];
  isOutput: boolean;
  /** Whether its id is shown, so that others can speak of it. */
  showsId: boolean;
  /** Whether only a gradient needs it. */
  isBackward: boolean;
  /** What a chain of boxes may be folded by: a view is the same elements in another shape. */
  folds: 'elementwise' | 'view' | 'never';
  /** In order of evaluation; more than one where a chain was folded; none of a leaf. */
  steps: readonly Step[];
  shape: Shape;
  dtype: string;
  /** Path of its layer: `encoder (Encoder).0 (Linear)`. */
  layer: string;
  /** Rows of its value and its adjoint, where they are asked for. */
  value: readonly string[] | null;
  adjoint: readonly string[] | null;
}
