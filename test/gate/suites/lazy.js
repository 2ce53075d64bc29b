import { rand } from '../../../build/nabla/index.js';

const x = rand([4]);
export default { lazy: () => x.add(1) };
