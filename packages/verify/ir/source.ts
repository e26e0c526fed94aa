/** Where an instruction or a rule came from: the line that a person can go and change. */
export interface SourceRef {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line itself, shortened, where it is at hand. */
  readonly text?: string;
}

export function sourceName(at: SourceRef): string {
  return `${at.file}:${at.line}`;
}
