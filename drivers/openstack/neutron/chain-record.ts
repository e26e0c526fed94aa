/**
 * What is kept of versions in the description of a classifier, which has room for 255 characters: `1=9f21aa03,c1d20cc7 2=`
 * says that version 1 leads through the functions at two ports, by the beginnings of their ids in Neutron, and version 2
 * through none.
 */
export type Versions = ReadonlyMap<number, readonly string[]>;

const ROOM = 255;
const START = 8;

/** How descriptions name a port. */
export const portKey = (id: string) => id.slice(0, START);

export function readVersions(description: string | null | undefined): Versions {
  const versions = new Map<number, readonly string[]>();
  for (const word of (description ?? '').split(' ')) {
    const found = /^(\d{1,9})=([0-9a-f,]*)$/.exec(word);
    if (found !== null)
      versions.set(
        Number(found[1]),
        found[2]!.split(',').filter((key) => key !== ''),
      );
  }
  return versions;
}

/** Undefined when there is no room for it. */
export function writeVersions(versions: Versions): string | undefined {
  const text = [...versions].map(([version, keys]) => `${version}=${keys.join(',')}`).join(' ');
  return text.length > ROOM ? undefined : text;
}
