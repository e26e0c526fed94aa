import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Peer {
  readonly name: string;
  readonly program: string;
  args(lp: string, answer: string): readonly string[];
  /** The objective in what it wrote. */
  readonly objective: RegExp;
}

/** Solvers that Debian has: coinor-cbc and glpk-utils. */
export const peers: readonly Peer[] = [
  {
    name: 'cbc',
    program: 'cbc',
    args: (lp, answer) => [lp, 'ratioGap', '1e-6', 'solve', 'solution', answer],
    objective: /objective value\s+(\S+)/,
  },
  {
    name: 'glpk',
    program: 'glpsol',
    args: (lp, answer) => ['--lp', lp, '--mipgap', '1e-6', '--tmlim', '60', '-o', answer],
    objective: /Objective:\s+\S+ = (\S+)/,
  },
];

export type PeerRun = { readonly ms: number; readonly objective: number } | 'absent' | 'nothing';

/** The whole run by the clock: starting, reading the programme, solving it, and writing the answer. */
export function solveBy({ program, args, objective }: Peer, programme: string, limitMs: number): PeerRun {
  if (spawnSync(program, ['--version'], { stdio: 'ignore', input: '' }).error !== undefined) return 'absent';
  const folder = mkdtempSync(join(tmpdir(), 'sf-bench-design-'));
  try {
    const [lp, answer] = [join(folder, 'programme.lp'), join(folder, 'answer')];
    writeFileSync(lp, programme);
    const before = performance.now();
    const { status } = spawnSync(program, args(lp, answer), { stdio: 'ignore', timeout: limitMs });
    const ms = performance.now() - before;
    const found = status === 0 ? objective.exec(readFileSync(answer, 'utf8'))?.[1] : undefined;
    return found === undefined ? 'nothing' : { ms, objective: Number(found) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
