import { nn, tensor } from '../../../build/nabla/index.js';

const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1));

export default async () => {
  const loss = nn.mseLoss(model.forward(tensor([[1, 2]])), tensor([[1]]));
  return { outputs: { loss }, names: model.stateDict() };
};
