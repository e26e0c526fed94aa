import type { SourceRef } from './ir/source.ts';
import type { Bound } from './limits.ts';
import type { Path, ShownPath } from './engine/path.ts';

export type Answer = 'holds' | 'violated' | 'unknown';

/** The answer to one question. Paths that come from another thread are as they are shown. */
export interface Verdict<P extends ShownPath = Path> {
  /** Stable, for machines: `reach`, `loops`, `policy/<name>`, ... */
  readonly question: string;
  readonly answer: Answer;
  /** One sentence for people. */
  readonly because: string;
  /** Paths that show it: counter-examples of a violation, witnesses of what exists. Shortest first, bounded. */
  readonly paths: readonly P[];
  /** Of `unknown`: the bound that was hit. */
  readonly bound?: Bound;
  /** What was not understood and could change the answer. */
  readonly dependsOn: readonly string[];
  /** The rules to look at. */
  readonly rules: readonly SourceRef[];
}
