import { tensor } from '../../../build/nabla/index.js';

export default () => {
  return tensor([1, 2]).add(tensor([1, 2, 3]));
};
