// Checks of options. A name that is not known is an error, since a misspelt one would silently do nothing.
import { NablaError } from './error.ts';

/** Throws if `options` has a name beside `known`, or is no record of options: a weight, say, given by place. */
export function checkNames(op: string, options: object | undefined, known: readonly string[]): void {
  if (options !== undefined && !isPlain(options)) {
    throw new NablaError(
      'option',
      `${op}: got ${String(options)} for options; expected an object like { ${known[0]}: … }`,
      { op },
    );
  }
  const unknown = Object.keys(options ?? {}).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const list = known.length > 1 ? `${known.slice(0, -1).join(', ')} or ${known.at(-1)}` : known[0];
  throw new NablaError('option', `${op}: unknown option '${unknown}'; expected ${list}`, { op, option: unknown });
}

/** Whether x is a record, not an instance of a class: a tensor has no names of its own, so it would do nothing. */
export function isPlain(x: unknown): boolean {
  if (typeof x !== 'object' || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Throws unless a size or a count of something is a whole number from 1. */
export function checkCount(op: string, name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new NablaError('option', `${op}: ${name} is ${value}; expected a whole number from 1`, {
    op,
    option: name,
    value,
  });
}

/** What a wrong argument is called in an error. */
export function kindOf(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === 'object') return Array.isArray(x) ? 'an array' : 'an object';
  return `a ${typeof x}`;
}

/** Throws unless what is to be called can be. */
export function checkFunction(op: string, fn: unknown): asserts fn is (...args: unknown[]) => unknown {
  if (typeof fn === 'function') return;
  throw new NablaError('option', `${op}: expected a function of tensors, got ${kindOf(fn)}`, { op });
}

/** Throws at what is meant as true or false and is neither: an object would count as true. */
export function checkBoolean(op: string, name: string, x: unknown): void {
  if (typeof x === 'boolean') return;
  throw new NablaError('option', `${op}: ${name} is ${kindOf(x)}, expected true or false`, { op, option: name });
}
