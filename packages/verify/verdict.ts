import type { SourceRef } from './ir/source.ts';
import type { Bound } from './limits.ts';
import type { Path } from './engine/path.ts';

/** The answer to one question. */
export interface Verdict {
  /** Stable, for machines: `reach`, `loops`, `policy/<name>`, ... */
  readonly question: string;
  readonly answer: 'holds' | 'violated' | 'unknown';
  /** One sentence for people. */
  readonly because: string;
  /** Paths that show it: counter-examples of a violation, witnesses of what exists. Shortest first, bounded. */
  readonly paths: readonly Path[];
  /** Of `unknown`: the bound that was hit. */
  readonly bound?: Bound;
  /** What was not understood and could change the answer. */
  readonly dependsOn: readonly string[];
  /** The rules to look at. */
  readonly rules: readonly SourceRef[];
}
