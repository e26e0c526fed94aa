/** The words of a line, between blanks. No regular expression: tables have a million lines. */
export function wordsOf(row: string): readonly string[] {
  const words: string[] = [];
  let from = -1;
  for (let i = 0; i <= row.length; i += 1) {
    // Spaces, tabs, and the end.
    const isBlank = i === row.length || row.charCodeAt(i) <= 32;
    if (!isBlank) {
      if (from < 0) from = i;
    } else if (from >= 0) {
      words.push(row.slice(from, i));
      from = -1;
    }
  }
  return words;
}
