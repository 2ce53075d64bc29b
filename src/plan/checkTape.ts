// Checks one OP_MAP: its limits, that no micro-operation reads a slot before it is written, and that what is written
// over memory read by the same tape comes after the last read.
import {
  MAP_SLOTS,
  MAP_TAPE,
  MICRO_ADAM,
  MICRO_GELU_BOTH,
  MICRO_GELU_TANH_BOTH,
  MICRO_SGD_MOMENTUM,
  SLOT_IN,
  SLOT_MODE,
  SLOT_OUT,
  SLOT_TEMP,
} from '../../assembly/abi.ts';
import type { Ref } from '../graph/op.ts';
import type { Instruction } from './encode.ts';

interface Slot {
  mode: number;
  ref: Ref | null;
}

interface Micro {
  writes: readonly number[];
  reads: readonly number[];
}

type Words = Instruction['words'];

/** Words before the slots, and words a slot. */
const HEAD = 5;
const PER_SLOT = 4;

export function slotsOf(words: Words): Slot[] {
  return Array.from({ length: words[2] as number }, (_, k) => ({
    mode: (words[HEAD + k * PER_SLOT] as number) & SLOT_MODE,
    ref: words[HEAD + k * PER_SLOT + 1] as Ref | null,
  }));
}

/** How many slots a micro-operation writes, where it is not one; its destinations come first. */
const DESTINATIONS = new Map([
  [MICRO_ADAM, 3],
  [MICRO_SGD_MOMENTUM, 2],
  [MICRO_GELU_BOTH, 2],
  [MICRO_GELU_TANH_BOTH, 2],
]);

function tapeOf(words: Words): Micro[] {
  const micros: Micro[] = [];
  for (let at = HEAD + (words[2] as number) * PER_SLOT; at < words.length; ) {
    const head = words[at] as number;
    const [code, n] = [head & 0xffff, head >>> 16];
    const operands = words.slice(at + 1, at + 1 + n) as number[];
    const written = DESTINATIONS.get(code) ?? 1;
    micros.push({ writes: operands.slice(0, written), reads: operands.slice(written) });
    at += 1 + n;
  }
  return micros;
}

export function checkTape(
  { words }: Instruction,
  overlap: (a: Ref, b: Ref) => boolean,
  fail: (why: string) => void,
): void {
  const [slots, tape] = [slotsOf(words), tapeOf(words)];
  if (slots.length > MAP_SLOTS || tape.length > MAP_TAPE)
    fail(`${slots.length} slots, ${tape.length} micro-operations`);
  if (tape.length !== words[3]) fail(`says ${words[3]} micro-operations, has ${tape.length}`);
  const firstWrite = (k: number) => tape.findIndex((m) => m.writes.includes(k));
  const lastRead = (k: number) => tape.findLastIndex((m) => m.reads.includes(k));
  slots.forEach(({ mode, ref }, k) => {
    if (mode === SLOT_TEMP || mode === SLOT_OUT) {
      const written = firstWrite(k);
      if (written < 0) fail(`slot ${k} is never written`);
      if (tape.slice(0, written + 1).some((m) => m.reads.includes(k))) fail(`slot ${k} is read before it is written`);
    } else if (mode < SLOT_TEMP && firstWrite(k) >= 0) fail(`writes slot ${k}, an input`);
    if (mode < SLOT_OUT || ref === null) return;
    slots.forEach((other, j) => {
      if (j === k || other.ref === null || !overlap(ref, other.ref)) return;
      if (other.mode >= SLOT_OUT) fail(`slots ${k} and ${j} are written to the same memory`);
      const inStep = mode === SLOT_OUT && (other.mode === SLOT_IN || words[0] === 1);
      if (!inStep || other.ref.byteOffset !== ref.byteOffset) fail(`slot ${k} is written over slot ${j}, not in step`);
      if (lastRead(j) > firstWrite(k)) fail(`slot ${j} is read after slot ${k} was written over it`);
    });
  });
}
