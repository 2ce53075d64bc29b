import { describe, expect, test } from 'vitest';
import { FAULT_OPCODE } from '../../assembly/abi.ts';
import { Harness } from './harness.ts';

describe.each(['baseline', 'relaxed'] as const)('executor, %s', (simd) => {
  test('an unknown opcode is a fault that names its instruction', () => {
    const harness = new Harness(simd);
    expect(harness.run([[255]])).toBe(FAULT_OPCODE);
  });
});
