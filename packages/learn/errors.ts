import { defineErrors } from '@superfluidity/core';

export const learnErrors = defineErrors({
  'SF-LEARN-DATA': {
    status: 422,
    title: 'What is to be learned from cannot be used',
    hint: 'See the reference of learning: which values a column and a target may have, and how many.',
  },
  'SF-LEARN-ONE-CLASS': {
    status: 422,
    title: 'There is nothing to tell apart',
    hint: 'All rows are of one class, or have one value: add rows of others.',
  },
  'SF-LEARN-COLUMNS': {
    status: 422,
    title: 'Rows have other columns than the model was learned from',
    hint: 'Give the columns that the model names, of the same kind. Unknown names of a nominal column count as missing.',
  },
  'SF-LEARN-MODEL': {
    status: 422,
    title: 'A model cannot be read',
    hint: 'It was made by another version or was changed since: train it again.',
  },
  'SF-LEARN-SYMBOL': {
    status: 422,
    title: 'A symbol is not of the alphabet',
    hint: 'Symbols are whole numbers from 0 up to the size of the alphabet of the model.',
  },
  'SF-LEARN-LIMIT': {
    status: 413,
    title: 'There is more than a learner handles',
    hint: 'Learn from a sample of the rows, or with fewer columns, names, trees or leaves.',
  },
});

/** Bounds of all learners. */
export const learnLimits = {
  rows: 20_000_000,
  columns: 10_000,
  /** Rows times columns. */
  cells: 1_000_000_000,
  /** Names of one nominal column. */
  names: 65_535,
  classes: 1_000,
  /** Levels of a C4.5 tree; a node that deep is a leaf. */
  depth: 250,
  /** Nodes of a C4.5 tree; nodes that have no split yet when there are as many become leaves. */
  nodes: 2_000_000,
  /** A case with missing values goes on in parts; a smaller part ends where it is. */
  leastPart: 1 / 1_024,
  /** Leaves of a tree from which rules are made, and the words of 32 cases that are looked at for all of them. */
  ruleLeaves: 5_000,
  ruleWork: 4_000_000_000,
  /** Trees of an ensemble. */
  trees: 10_000,
  /** Rows from which the bins of a column are found. */
  binSample: 100_000,
  /** Histograms that the growth of one tree holds at once. */
  histogramBytes: 2 ** 30,
  alphabet: 65_536,
  /** Nodes of a Lempel-Ziv tree, fewer where the alphabet is large: nodes times symbols stay below 2 to the 32nd. */
  lzNodes: 20_000_000,
  shifts: 64,
  /** Of a sequence by which others are parsed: about 200 bytes each. */
  crossSymbols: 2_000_000,
  backShift: 64,
} as const;
