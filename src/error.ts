// The one class of error that nabla throws on purpose: a code for programs, a message for people, fields for both.

export class NablaError extends Error {
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, fields: Record<string, unknown> = {}) {
    super(message);
    this.name = 'NablaError';
    this.code = code;
    this.fields = fields;
  }
}
