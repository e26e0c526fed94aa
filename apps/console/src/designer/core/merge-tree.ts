import type { Version } from './history.ts';
import { filesOf, mainPath, pathsOf, textIn, versionOf, withText } from './tree.ts';

/** Two changes of one design, as far as they are brought together: files that both have changed are left to be decided. */
export interface MergedTree {
  readonly version: Version;
  readonly undecided: readonly string[];
}

/**
 * Takes each file from whoever has changed it. One that somebody has taken away stays where the other has changed it. A design
 * of one text is always to be decided, and of a tree at least one file: nobody is overwritten unseen.
 */
export function mergedTree(base: Version | undefined, mine: Version, theirs: Version): MergedTree {
  const first = mainPath(theirs);
  if (mine.others === undefined || theirs.others === undefined) return { version: theirs, undecided: [first] };
  const text = (version: Version | undefined, path: string) => (version === undefined ? undefined : raw(version, path));
  const paths = [...new Set([...pathsOf(theirs), ...pathsOf(mine)])];
  const undecided: string[] = [];
  const kept = paths.flatMap((path) => {
    const [was, own, other] = [text(base, path), text(mine, path), text(theirs, path)];
    const isBoth = own !== undefined && other !== undefined && own !== other && own !== was && other !== was;
    if (isBoth && textIn(mine, path) !== undefined) undecided.push(path);
    const from = own === was || isBoth ? (other === undefined && own !== was ? mine : theirs) : mine;
    const isGone = text(from, path) === undefined;
    // Taken away by one, and left as it was by the other.
    if (isGone && (own === was || other === was)) return [];
    const holder = isGone ? (from === mine ? theirs : mine) : from;
    return filesOf(holder).filter((file) => file.path === path);
  });
  const version = versionOf(kept, { language: mine.language }) ?? theirs;
  const differing = pathsOf(theirs).find(
    (path) => text(mine, path) !== text(theirs, path) && textIn(theirs, path) !== undefined,
  );
  return { version, undecided: undecided.length > 0 ? undecided : [differing ?? first] };
}

/** What a file holds, be it text or not. */
const raw = (version: Version, path: string): string | undefined =>
  path === mainPath(version) ? version.text : version.others?.find((one) => one.path === path)?.text;

/** One file is decided. */
export function decided({ version, undecided }: MergedTree, text: string): MergedTree {
  const [path, ...left] = undecided;
  return { version: path === undefined ? version : withText(version, path, text), undecided: left };
}
