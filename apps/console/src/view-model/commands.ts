/** What the command palette offers: where one can go, and what one can do. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** What it is, or what for: shown beside the title, and searched too. */
  readonly about: string;
  readonly group:
    | 'Pages'
    | 'Services'
    | 'Sites'
    | 'Units'
    | 'Hosts'
    | 'Catalogue'
    | 'Operations'
    | 'Reports'
    | 'Actions';
  readonly keys?: string;
}

const SHOWN_MAX = 12;

/**
 * Commands of which every word that was typed is a part, the better ones first: those whose title begins with the first word,
 * then those with a word that does, then the others. Without words, the order in which they came.
 */
export function matching<C extends Command>(commands: readonly C[], typed: string): readonly C[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return commands.slice(0, SHOWN_MAX);
  return commands
    .flatMap((command, i) => {
      const title = command.title.toLowerCase();
      const text = `${title} ${command.about.toLowerCase()}`;
      if (!words.every((word) => text.includes(word))) return [];
      const [first] = words as [string];
      const rank = title.startsWith(first) ? 0 : title.split(/[\s/#-]/).some((part) => part.startsWith(first)) ? 1 : 2;
      return [{ command, rank, i }];
    })
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .slice(0, SHOWN_MAX)
    .map(({ command }) => command);
}
