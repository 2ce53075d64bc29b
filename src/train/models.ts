// The two models of the digits example. Both take images [B, 1, 28, 28] and give logits [B, 10]: the softmax is part of
// the cross-entropy while training, and of `probabilities` afterwards.

import { noGrad } from '../functions.ts';
import * as nn from '../nn/index.ts';
import type { Tensor } from '../tensor.ts';

const CLASSES = 10;

/**
 * Convolution → max-pool → convolution → ReLU → linear; 33,738 parameters.
 * [B, 1, 28, 28] → [B, 16, 24, 24] → [B, 16, 12, 12] → [B, 32, 8, 8] → [B, 2048] → [B, 10]
 */
export function digitCnn(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 16, 5),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 5),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(2048, CLASSES),
  );
}

/** Linear layers 784 → 256 → 128 → 10 with ReLU between; 235,146 parameters. */
export function digitMlp(): nn.Sequential {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, CLASSES),
  );
}

/** The models by the names that `npm run train -- --model` takes. */
export const DIGIT_MODELS = { cnn: digitCnn, mlp: digitMlp } as const;

export type DigitModelName = keyof typeof DIGIT_MODELS;

/** How likely the model finds each class: images [B, 1, 28, 28] → [B, 10], rows that sum to 1. */
export function probabilities(model: nn.Module, images: Tensor): Tensor {
  return noGrad(() => model.forward(images).softmax(1));
}
