import type { IntCpd, LinkProfiles, Nsd, Pools, VnfProfile } from './shape.ts';

/** To what a connection point of a VDU is connected. */
export interface Attachment {
  /** External connection points through which it is reached. */
  readonly external: readonly string[];
  /** Virtual link of the NSD. */
  readonly link?: string;
  /** Address that OSM gives it there. */
  readonly address?: string;
}

export interface Attachments {
  /** Of a connection point of a VDU, on an internal virtual link or not. */
  point(vdu: string, cpd: string, internal: string | undefined): Attachment;
  /** Of an external connection point itself. */
  external(id: string): Attachment;
}

/** The virtual link of the NSD to which a profile of one leads. OSM names the virtual link itself. */
export type LinkOf = (profile: string) => string | undefined;

export function linkOf(links: Nsd['virtual-link-desc'] = [], profiles: LinkProfiles = []): LinkOf {
  const ids = new Map<string, string>([
    ...links.map(({ id }) => [id, id] as const),
    ...profiles.map((profile) => [profile.id, profile['virtual-link-desc-id']] as const),
  ]);
  return (profile) => ids.get(profile);
}

/**
 * A connection point is on the virtual link to which its external connection point, or that of its internal virtual link,
 * is connected by the profile of the VNF.
 */
export function attachments(
  externals: Pools['ext-cpd'] = [],
  connectivity: VnfProfile['virtual-link-connectivity'] = [],
  link: LinkOf = () => undefined,
): Attachments {
  const byPoint = grouped(externals, (ext) => ext['int-cpd'] && pointKey(ext['int-cpd']['vdu-id'], ext['int-cpd'].cpd));
  const byInternal = grouped(externals, (ext) => ext['int-virtual-link-desc']);
  const connected = new Map(
    connectivity.flatMap((one) =>
      (one['constituent-cpd-id'] ?? []).map(
        (cpd) =>
          [
            cpd['constituent-cpd-id'],
            { link: link(one['virtual-link-profile-id']), address: cpd['ip-address'] },
          ] as const,
      ),
    ),
  );
  const through = (external: readonly string[], own = external): Attachment => {
    const at = external.map((id) => connected.get(id)).find((one) => one?.link !== undefined);
    return {
      external: own,
      ...(at?.link === undefined ? {} : { link: at.link }),
      ...(at?.address === undefined ? {} : { address: at.address }),
    };
  };
  return {
    point(vdu, cpd, internal) {
      const own = byPoint.get(pointKey(vdu, cpd)) ?? [];
      return through([...own, ...(internal === undefined ? [] : (byInternal.get(internal) ?? []))], own);
    },
    external: (id) => through([id]),
  };
}

const pointKey = (vdu: string, cpd: string) => `${vdu}\n${cpd}`;

function grouped(
  externals: NonNullable<Pools['ext-cpd']>,
  key: (external: NonNullable<Pools['ext-cpd']>[number]) => string | undefined,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const external of externals) {
    const name = key(external);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [external.id]);
    else group.push(external.id);
  }
  return groups;
}

/** The first IPv4 address that a connection point is given. */
export function fixedAddressOf({ protocol = [] }: Pick<IntCpd, 'protocol'>): string | undefined {
  return protocol
    .flatMap((one) => one['address-data'] ?? [])
    .map((data) => data['l3-address-data']?.['fixed-ip-address'])
    .find((address) => address !== undefined && !address.includes(':'));
}

/** Prefix and MTU that the profiles of a virtual link speak of. */
export function linkData(
  profiles: readonly { readonly 'virtual-link-protocol-data'?: LinkProfiles[number]['virtual-link-protocol-data'] }[],
): { readonly prefix?: string; readonly mtu?: number } {
  const data = profiles.flatMap((profile) => [profile['virtual-link-protocol-data'] ?? []].flat());
  const prefix = data
    .map((entry) => entry['l3-protocol-data']?.cidr)
    .find((cidr) => cidr !== undefined && !cidr.includes(':'));
  const mtu = data.map((entry) => entry['l2-protocol-data']?.mtu).find((value) => value !== undefined);
  return { ...(prefix === undefined ? {} : { prefix }), ...(mtu === undefined ? {} : { mtu }) };
}
