/**
 * What is kept of versions in the description of a classifier, which has room for 255 characters:
 * `1=9f21aa03,c1d20cc7+04b1e5f2 2=` says that version 1 leads through two functions, the second of which has two instances,
 * by the beginnings of the ids of their ports in Neutron, and version 2 through none.
 */
export type Versions = ReadonlyMap<number, readonly GroupKey[]>;
/** The ports of the instances of a function, as descriptions name them. */
export type GroupKey = readonly string[];

const ROOM = 255;
const START = 8;

/** How descriptions name a port. */
export const portKey = (id: string): string => id.slice(0, START);

export function readVersions(description: string | null | undefined): Versions {
  const versions = new Map<number, readonly GroupKey[]>();
  for (const word of (description ?? '').split(' ')) {
    const found = /^(\d{1,9})=([0-9a-f,+]*)$/.exec(word);
    if (found !== null)
      versions.set(
        Number(found[1]),
        words(found[2]!, ',').map((group) => words(group, '+')),
      );
  }
  return versions;
}

/** Undefined when there is no room for it. */
export function writeVersions(versions: Versions): string | undefined {
  const text = [...versions]
    .map(([version, groups]) => `${version}=${groups.map((group) => group.join('+')).join(',')}`)
    .join(' ');
  return text.length > ROOM ? undefined : text;
}

function words(text: string, separator: string): readonly string[] {
  return text.split(separator).filter((word) => word !== '');
}
