/** A refusal as the control plane sends it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export function found<T>(value: T | undefined, code: string, message: string, hint?: string): T {
  if (value === undefined) throw new Refusal(404, code, message, hint);
  return value;
}
