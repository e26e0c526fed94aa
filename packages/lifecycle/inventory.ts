import type { UnitRecord } from './unit-records.ts';

/** As the plugins `yaml` of Ansible reads it. */
export type Inventory = {
  readonly all: {
    readonly hosts: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly children: Readonly<Record<string, { readonly hosts: Readonly<Record<string, null>> }>>;
  };
};

/**
 * The units of a service as hosts: `worker-0` is the first of unit `worker/worker`, `video-server-0` that of `video/server`. Groups
 * are the functions, the units (`video_server`) and the sites (`site_edge`). A unit without an address cannot be reached, and is
 * left out.
 */
export function inventoryOf(units: readonly UnitRecord[]): Inventory {
  const hosts: Record<string, Record<string, string>> = {};
  const children: Record<string, { hosts: Record<string, null> }> = {};
  for (const { planned, ports } of units) {
    const { site, spec } = planned;
    const address = ports.find((port) => port.address !== '')?.address;
    if (address === undefined) continue;
    const [fn = '', unit = ''] = spec.path.split('/');
    const name = `${fn === unit ? fn : `${fn}-${unit}`}-${spec.index}`;
    hosts[name] = { ansible_host: address };
    const groups = [fn, ...(fn === unit ? [] : [`${fn}_${unit}`]), `site_${site}`];
    // Groups have names like variables of Python; a host and a group cannot be called alike.
    for (const group of groups) (children[group.replaceAll('-', '_')] ??= { hosts: {} }).hosts[name] = null;
  }
  return { all: { hosts, children } };
}
