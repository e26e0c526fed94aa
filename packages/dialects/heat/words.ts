/** Words of a command line, as a POSIX shell takes them apart that expands nothing. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i]!;
    if (character === "'") {
      const end = line.indexOf("'", i + 1);
      const close = end === -1 ? line.length : end;
      word = (word ?? '') + line.slice(i + 1, close);
      i = close;
    } else if (character === '"') {
      let text = '';
      for (i += 1; i < line.length && line[i] !== '"'; i += 1) {
        if (line[i] === '\\' && '"\\$`'.includes(line[i + 1] ?? ' ')) i += 1;
        text += line[i] ?? '';
      }
      word = (word ?? '') + text;
    } else if (character === '\\') {
      word = (word ?? '') + (line[i + 1] ?? '');
      i += 1;
    } else if (/[ \t\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** One line that is split into these words. */
export function joinWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
