import { superfluidity } from './superfluidity.ts';

const TIMEOUT_MS = 120_000;

export interface Proven {
  readonly code: number;
  readonly pods: number;
  readonly classes: number;
  /** Of which rules were read. */
  readonly nodes: number;
  readonly notCompared: readonly string[];
  /** By question. */
  readonly answers: Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
  /** Files, of a cloud and of nodes. */
  readonly read: readonly string[];
  /** On standard error. */
  readonly notes: string;
}

export interface Difference {
  readonly from: { readonly address: string; readonly pod?: string };
  readonly to: { readonly address: string; readonly pod?: string };
  readonly protocol: string;
  readonly port: number;
  readonly sourcePort: number;
  readonly installed: 'passes' | 'is stopped';
  readonly meant: readonly string[];
  readonly rules: readonly string[];
}

interface Printed extends Omit<Proven, 'code' | 'answers' | 'differences' | 'read' | 'notes'> {
  readonly questions: readonly {
    readonly question: string;
    readonly answer: string;
    readonly differences: readonly Difference[];
  }[];
  readonly read: readonly { readonly file: string }[];
}

/** `superfluidity verify policies`: it is another program, and knows nothing of who asks. */
export async function verifyPolicies(...options: readonly string[]): Promise<Proven> {
  const args = ['verify', 'policies', ...options, '--output', 'json'];
  const { code, out, err } = await superfluidity(args, TIMEOUT_MS);
  if (!out.startsWith('{')) throw new Error(`verify policies ended with ${code}: ${err}`);
  const { questions, read, ...rest } = JSON.parse(out) as Printed;
  return {
    ...rest,
    code,
    answers: Object.fromEntries(questions.map(({ question, answer }) => [question, answer])),
    differences: questions.flatMap(({ differences }) => differences),
    read: read.map(({ file }) => file),
    notes: err,
  };
}
