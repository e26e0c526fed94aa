import type { Start } from '../engine/explore.ts';
import { type CheckOptions, checkFormula } from '../netctl/check.ts';
import type { Formula } from '../netctl/formula.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';

const delivered: Formula = { kind: 'ended', outcome: 'delivered' };
const onSome: Formula = { kind: 'path', all: false, always: false, of: delivered };
const onAll: Formula = { kind: 'path', all: true, always: false, of: delivered };
/** AG (EF delivered -> AF delivered). */
const consistent: Formula = {
  kind: 'path',
  all: true,
  always: true,
  of: { kind: 'or', of: [{ kind: 'not', of: onSome }, onAll] },
};

const because = {
  holds: 'What arrives on one of its ways arrives on all of them.',
  violated: 'There are packets that arrive on one of their ways and not on another.',
};

/** Multi-path consistency (Batfish): whichever of equal routes a packet takes, and whichever copy it is, it arrives or none does. */
export function multipath(network: Network, starts: readonly Start[], options: CheckOptions = {}): Verdict {
  const verdict = checkFormula(network, 'multipath', consistent, starts, options);
  const { answer } = verdict;
  return { ...verdict, question: 'multipath', because: answer === 'unknown' ? verdict.because : because[answer] };
}
