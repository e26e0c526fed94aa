/** The last lines of a log that may be of any length: bounded in lines and in the length of each. */
export interface LogLines {
  readonly lines: readonly string[];
  /** Of the first one that is kept, counted from the first that was read. */
  readonly from: number;
  readonly next: number;
}

export const LOG_LIMITS = { linesKept: 50_000, lineLength: 2_000 } as const;

export const emptyLog: LogLines = { lines: [], from: 0, next: 0 };

export function appended(log: LogLines, fresh: readonly string[], next: number): LogLines {
  if (fresh.length === 0) return log.next === next ? log : { ...log, next };
  const clipped = fresh.map((line) =>
    line.length > LOG_LIMITS.lineLength ? `${line.slice(0, LOG_LIMITS.lineLength)} … ${line.length} characters` : line,
  );
  const all = [...log.lines, ...clipped];
  const dropped = Math.max(0, all.length - LOG_LIMITS.linesKept);
  return { lines: dropped === 0 ? all : all.slice(dropped), from: log.from + dropped, next };
}

/** Numbers of the lines that have the text in them, in any case. All of them without a text. */
export function linesWith(log: LogLines, text: string): readonly number[] {
  const wanted = text.toLowerCase();
  return log.lines.flatMap((line, i) => (wanted === '' || line.toLowerCase().includes(wanted) ? [i] : []));
}
