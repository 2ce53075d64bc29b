// Models in files.
export { loadSafetensors, loadSafetensorsMetadata, saveSafetensors } from './safetensors.ts';
