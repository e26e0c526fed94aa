import { LIMITS } from './limits.ts';

/** What the executable sends: variables of its environment, each ended by NUL; NUL; what was on its standard input. */
export interface Frame {
  readonly variables: ReadonlyMap<string, string>;
  readonly input: string;
}

const VARIABLES_MAX = 64;

/** Undefined where it is none. */
export function parseFrame(bytes: Buffer): Frame | undefined {
  const variables = new Map<string, string>();
  for (let at = 0; at < bytes.length && variables.size <= VARIABLES_MAX; ) {
    const end = bytes.indexOf(0, at);
    if (end === -1) return undefined;
    if (end === at) return { variables, input: bytes.toString('utf8', at + 1) };
    const text = bytes.toString('utf8', at, end);
    const sign = text.indexOf('=');
    if (sign <= 0) return undefined;
    variables.set(text.slice(0, sign), text.slice(sign + 1));
    at = end + 1;
  }
  return undefined;
}

/** The text, and behind it the exit status of the executable: an answer without it is not whole. */
export function frameAnswer(text: string, status: 0 | 1): Buffer {
  const answer = Buffer.from(`${text}${status}`);
  if (answer.length <= LIMITS.messageBytes) return answer;
  return Buffer.from(`{"cniVersion":"1.0.0","code":5,"msg":"the result is larger than can be told"}\n1`);
}
