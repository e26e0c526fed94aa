import { learnLimits } from '../errors.ts';
import { unusable, within } from '../table.ts';
import { BINS } from './bins.ts';

/** Keeps an ensemble within what is remembered of it and what its growth holds at once. */
export function checkHistograms(size: {
  readonly trees: number;
  readonly leaves: number;
  /** Histograms that are held at once. */
  readonly waiting: number;
  readonly features: number;
  readonly outputs: number;
}): void {
  const { trees, leaves, waiting, features, outputs } = size;
  if (!Number.isSafeInteger(trees) || trees < 1) throw unusable(`${trees} trees, at least 1`);
  if (!Number.isSafeInteger(leaves) || leaves < 2) throw unusable(`${leaves} leaves, at least 2`);
  within('trees', trees, learnLimits.trees);
  within('leaves', leaves, learnLimits.nodes / 2);
  within('bytes of histograms', waiting * features * BINS * (outputs + 1) * 8, learnLimits.histogramBytes);
}
