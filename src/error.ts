// The one error class: what was given, what was expected and, where likely, the mend.

/** The kinds of mistake a program can tell apart by `error.code`. */
export type ErrorCode =
  | 'shape'
  | 'dtype'
  | 'index'
  | 'option'
  | 'gradient'
  | 'trace'
  | 'stale'
  | 'disposed'
  | 'memory'
  | 'data'
  | 'internal';

export class NablaError extends Error {
  override readonly name = 'NablaError';
  readonly code: ErrorCode;
  /** What the message speaks of, as values: `op`, `shapes`, `index`, `file` and the like. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, fields: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}
