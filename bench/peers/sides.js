// Who is measured: nabla, the physical limit, and the peers with what each of them installs.

/**
 * @typedef {object} SideInfo
 * @property {string} name a file of sides/, unless `file` names another
 * @property {string} [file]
 * @property {boolean} [threads] whether it can use more than one
 * @property {boolean} [python]
 * @property {'deno' | 'bun'} [runtime] runs it instead of this Node
 * @property {string[]} [packages] what a user of it installs, from package.json
 */

/** @type {SideInfo[]} nabla first: what it computes, the others must reach. */
export const OURS = [{ name: 'nabla', threads: true }, { name: 'limit' }];

/** @type {SideInfo[]} */
export const PEERS = [
  { name: 'nabla-deno', file: 'nabla', runtime: 'deno', threads: true },
  { name: 'nabla-bun', file: 'nabla', runtime: 'bun', threads: true },
  { name: 'tfjs-wasm', packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'] },
  { name: 'jax-js', packages: ['@jax-js/jax'] },
  { name: 'onnxruntime-web', threads: true, packages: ['onnxruntime-web'] },
  { name: 'pytorch', threads: true, python: true },
];
