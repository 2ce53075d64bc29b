// Mistakes in products: the exact message, at the line that makes the mistake.
import { describe, test } from 'vitest';
import { einsum, nn } from '../src/index.ts';
import { expectMistake } from './helpers.ts';
import { ints, mistakes, z } from './mistakes.ts';

const found = [
  ...mistakes('shape', [
    // A library that broadcasts takes this for a product.
    [
      'dot',
      () => z(2, 3).dot(z(1)),
      'dot: a is [2,3], b is [1]; expected two vectors of equal length; for matrices use matmul',
    ],
    [
      'dot of other lengths',
      () => z(3).dot(z(1)),
      'dot: a is [3], b is [1]; expected two vectors of equal length; for matrices use matmul',
    ],
    ['outer', () => z(2, 3).outer(z(4)), 'outer: a is [2,3], b is [4]; expected two vectors; flatten them first'],
    [
      'matmul, a stack of one',
      () => z(1, 2, 3).matmul(z(5, 4, 2)),
      "matmul: inner sizes differ: a [1,2,3] · b [5,4,2]; a's last (3) must equal b's second-to-last (4)",
    ],
    [
      'bilinear',
      () => nn.bilinear(z(2, 3), z(2, 4), z(5, 4, 3)),
      'bilinear: [2,3], [2,4], [5,4,3] do not fit; expected [.., i], [.., j], weight [o, i, j], bias [o]',
    ],
    ['einsum, operands', () => einsum('ij,jk', z(2, 3)), "einsum 'ij,jk': it names 2 operands, got 1"],
    ['einsum, no operand', () => einsum(''), "einsum '': it names 1 operand, got 0"],
    ['einsum, rank', () => einsum('ij->i', z(2)), "einsum 'ij->i': 'ij' has 2 subscripts, operand 0 is [2]"],
    ['einsum, too many axes', () => einsum('i', z(2, 3)), "einsum 'i': 'i' has 1 subscripts, operand 0 is [2,3]"],
    [
      'einsum, sizes',
      () => einsum('ij,jk->ik', z(2, 3), z(4, 5)),
      "einsum 'ij,jk->ik': 'j' is 3 in operand 0 [2,3] and 4 in operand 1 [4,5]",
    ],
    [
      'einsum, 1 does not stretch',
      () => einsum('i,i->', z(3), z(1)),
      "einsum 'i,i->': 'i' is 3 in operand 0 [3] and 1 in operand 1 [1]",
    ],
    [
      'einsum, a diagonal',
      () => einsum('ii', z(2, 3)),
      "einsum 'ii': 'i' is 2 in operand 0 [2,3] and 3 in operand 0 [2,3]",
    ],
    [
      'einsum, ellipsis',
      () => einsum('...i,...i', z(2, 3, 4), z(5, 4)),
      "einsum '...i,...i': axis -1 of '...' is 3 in operand 0 [2,3,4] and 5 in operand 1 [5,4]",
    ],
    [
      'einsum, output unknown',
      () => einsum('ij->ik', z(2, 3)),
      "einsum 'ij->ik': output subscript 'k' stands in no operand",
    ],
    ['einsum, output twice', () => einsum('ij->ii', z(2, 3)), "einsum 'ij->ii': output subscript 'i' is named twice"],
    [
      'einsum, output of two terms',
      () => einsum('ij->i,j', z(2, 3)),
      "einsum 'ij->i,j': the output 'i,j' has a ','; expected one term",
    ],
    [
      'einsum, a digit',
      () => einsum('i1', z(2, 3)),
      "einsum 'i1': '1' is no subscript; expected letters, ',', '...' and one '->'",
    ],
    [
      'einsum, two arrows',
      () => einsum('i->i->i', z(2)),
      "einsum 'i->i->i': '-' is no subscript; expected letters, ',', '...' and one '->'",
    ],
    [
      'einsum, two dots',
      () => einsum('..i', z(2)),
      "einsum '..i': '.' is no subscript; expected letters, ',', '...' and one '->'",
    ],
    ['einsum, two ellipses', () => einsum('...i...', z(2)), "einsum '...i...': '...i...' has more than one '...'"],
    [
      'einsum, two ellipses in the output',
      () => einsum('...i->......', z(2)),
      "einsum '...i->......': '......' has more than one '...'",
    ],
  ]),
  ...mistakes('dtype', [
    [
      'einsum',
      () => einsum('i,i', z(2), ints(1, 2)),
      "einsum: operand 1 is int32, expected float32; convert with .to('float32')",
    ],
    ['dot', () => ints(1, 2).dot(ints(3, 4)), "matmul: got int32, expected float32; convert with .to('float32')"],
  ]),
  ...mistakes('option', [
    [
      'einsum, the equation',
      () => einsum(z(2) as unknown as string, z(2)),
      "einsum: got object, expected an equation such as 'ij,jk->ik'",
    ],
  ]),
];

describe.each(found)('$of', (mistake) => {
  test(mistake.message, () => expectMistake(mistake, 'errors.products.test.ts'));
});
