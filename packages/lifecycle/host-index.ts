import type { Host, Site } from '@superfluidity/model';

/** A host with what it is found by, worked out once. */
export interface IndexedHost {
  readonly site: string;
  readonly host: Host;
  /** `site/host`: unique. */
  readonly name: string;
  /** What a search looks at, in lower case. */
  readonly text: string;
}

/**
 * The hosts of all sites as a list that can be looked through. A driver tells the same list until a host changes: what was
 * made of it is then kept, so that a search among a hundred thousand hosts makes nothing new.
 */
export function createHostIndex(): (sites: readonly Pick<Site, 'name' | 'hosts'>[]) => readonly IndexedHost[] {
  let parts = new Map<string, { readonly hosts: readonly Host[]; readonly indexed: readonly IndexedHost[] }>();
  let all: readonly IndexedHost[] = [];
  return (sites) => {
    const same = sites.length === parts.size && sites.every(({ name, hosts }) => parts.get(name)?.hosts === hosts);
    if (same) return all;
    parts = new Map(
      sites.map(({ name, hosts }) => {
        const known = parts.get(name);
        return [name, known?.hosts === hosts ? known : { hosts, indexed: hosts.map((host) => indexed(name, host)) }];
      }),
    );
    all = [...parts.values()].flatMap((part) => part.indexed);
    return all;
  };
}

function indexed(site: string, host: Host): IndexedHost {
  const name = `${site}/${host.name}`;
  return { site, host, name, text: [name, ...host.accelerators].join(' ').toLowerCase() };
}
