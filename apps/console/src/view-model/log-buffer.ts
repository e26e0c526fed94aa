/** The last lines of a log that may be of any length: bounded in lines, in the length of each, and of all. */
export interface LogLines {
  readonly lines: readonly string[];
  /** Characters of all lines that are kept. */
  readonly size: number;
  /** Of the first one that is kept, counted from the first that was read. */
  readonly from: number;
  readonly next: number;
}

export const LOG_LIMITS = { linesKept: 50_000, lineLength: 2_000, charactersKept: 16_000_000 } as const;

export const emptyLog: LogLines = { lines: [], size: 0, from: 0, next: 0 };

export function appended(log: LogLines, fresh: readonly string[], next: number): LogLines {
  if (fresh.length === 0) return log.next === next ? log : { ...log, next };
  const clipped = fresh.map((line) =>
    line.length > LOG_LIMITS.lineLength ? `${line.slice(0, LOG_LIMITS.lineLength)} … ${line.length} characters` : line,
  );
  const all = [...log.lines, ...clipped];
  let size = clipped.reduce((sum, line) => sum + line.length, log.size);
  let dropped = 0;
  while (all.length - dropped > LOG_LIMITS.linesKept || size > LOG_LIMITS.charactersKept) {
    size -= all[dropped]!.length;
    dropped += 1;
  }
  return { lines: dropped === 0 ? all : all.slice(dropped), size, from: log.from + dropped, next };
}

/** Numbers of the lines that have the text in them, in any case. All of them without a text. */
export function linesWith(log: LogLines, text: string): readonly number[] {
  const wanted = text.toLowerCase();
  return log.lines.flatMap((line, i) => (wanted === '' || line.toLowerCase().includes(wanted) ? [i] : []));
}
