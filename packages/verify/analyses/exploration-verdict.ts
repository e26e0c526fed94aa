import { type Exploration, type Start, TOO_FAR } from '../engine/explore.ts';
import type { Path } from '../engine/path.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { explained } from './explained.ts';

/** Paths that a verdict shows at most. */
const SHOWN = 100;
/** Of those, paths with the very rules that their packets meet. */
const EXPLAINED = 10;

/** An exploration, and what it was of. */
export interface Explored extends Exploration {
  readonly network: Network;
  readonly start: Start;
}

export interface Finding {
  readonly question: string;
  /** Paths on which the answer rests, if there are any. */
  readonly evidence: readonly Path[];
  /** What evidence means, and what its absence means. */
  readonly found: Verdict['answer'];
  readonly because: { readonly found: string; readonly absent: string };
}

/**
 * A question of the kind "is there a path that ...". Evidence without a doubt decides it, whatever bound was hit. Evidence
 * that rests on something that was not understood is no answer, and neither is its absence from an unfinished exploration.
 */
export function verdictOf(finding: Finding, explorations: readonly Explored[]): Verdict {
  const { question, found, because } = finding;
  const evidence = finding.evidence.toSorted((a, b) => a.hops.length - b.hops.length);
  const certain = evidence.filter(({ doubts }) => doubts.length === 0);
  const unfinished = explorations.flatMap(({ paths }) => paths).filter(({ outcome }) => outcome === 'unfinished');
  const tooFar = unfinished.some(({ why }) => why === TOO_FAR);
  const bound = explorations.find((each) => each.bound !== undefined)?.bound ?? (tooFar ? 'hops' : undefined);
  const shown = (certain.length > 0 ? certain : evidence).slice(0, SHOWN).map((path, i) => {
    const from = i < EXPLAINED ? explorations.find(({ paths }) => paths.includes(path)) : undefined;
    return from === undefined ? path : explained(from.network, from.start, path);
  });
  const base = { question, paths: shown, rules: rulesOf(shown) };
  if (certain.length > 0) return { ...base, answer: found, because: because.found, dependsOn: [] };
  if (evidence.length > 0) {
    const dependsOn = [...new Set(evidence.flatMap(({ doubts }) => doubts))];
    return {
      ...base,
      answer: 'unknown',
      because: `${because.found} That depends on what was not understood.`,
      dependsOn,
    };
  }
  if (bound !== undefined) {
    return {
      ...base,
      answer: 'unknown',
      because: `Not all paths were followed: bound hit: ${bound}.`,
      bound,
      dependsOn: [],
    };
  }
  if (unfinished.length > 0) {
    const dependsOn = [...new Set(unfinished.map(({ why }) => why ?? ''))];
    return { ...base, answer: 'unknown', because: 'Not all paths could be followed to their end.', dependsOn };
  }
  return { ...base, answer: found === 'holds' ? 'violated' : 'holds', because: because.absent, dependsOn: [] };
}

function rulesOf(paths: readonly Path[]): readonly SourceRef[] {
  const first = paths[0];
  if (first === undefined) return [];
  const all = [...first.hops.flatMap(({ because }) => because), ...(first.source === undefined ? [] : [first.source])];
  return [...new Map(all.map((source) => [`${source.file}:${source.line}`, source])).values()];
}
