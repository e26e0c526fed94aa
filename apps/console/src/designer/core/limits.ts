/** Bounds of the designer. */
export const designLimits = {
  /** Characters of a text that can be designed: the bound of the reader. */
  text: 1_000_000,
  /** Steps that can be undone. */
  history: 200,
  /** Characters of all steps that can be undone together. */
  historyText: 20_000_000,
  /** Drafts that the browser keeps, and characters of one. */
  drafts: 12,
  draftText: 400_000,
  /** Blocks of one level that are drawn. */
  drawn: 3_000,
  /** Blocks of one level that are arranged by ELK without being asked. */
  arranged: 150,
  /** Differing lines that are told one by one; what differs more is one change. */
  differences: 2_000,
  /** Time that ELK has. */
  layoutMs: 10_000,
  /** Attempts at a free name. */
  names: 10_000,
  /** Files of one import. */
  files: 256,
} as const;
