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
    // Deep enough that the stack reaches the user's own line.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = Math.max(limit, 50);
    super(message);
    Error.stackTraceLimit = limit;
    this.code = code;
    this.fields = fields;
  }
}
