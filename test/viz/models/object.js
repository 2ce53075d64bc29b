import { tensor } from '../../../build/nabla/index.js';

const x = tensor([1, 2]);
export default { square: x.square(), twice: x.mul(2) };
