import { canonicalJson, sha256 } from '@superfluidity/core';
import { type PortQuality, qualitiesOf, qualityOf, type TrafficRule } from '@superfluidity/model';
import type { Group } from '../groups.ts';
import { qualityResources } from './quality.ts';
import { securityRules } from './security.ts';
import { VERSION } from './version.ts';

/** The part of a service that lies at one site, after it was planned: with the names and addresses of the plan. */
export interface SitePart {
  readonly description: string;
  /** What the names of its resources begin with, where others are beside them. */
  readonly prefix?: string;
  readonly networks: readonly PartNetwork[];
  readonly units: readonly PartUnit[];
}

export interface PartNetwork {
  /** A label, unique in the part. */
  readonly name: string;
  /** Of this site. */
  readonly prefix: string;
  /** Of all sites: what may speak to ports that say nothing else. */
  readonly supernet: string;
  readonly mtu: number;
  /** Resources that it is already. */
  readonly there?: { readonly network: string; readonly subnet: string };
}

export interface PartUnit {
  /** Path and index: what it is called at the site. */
  readonly path: string;
  readonly index: number;
  /** Counts its incarnations, of which two may be there at a time. */
  readonly generation: number;
  readonly forwards: boolean;
  readonly ports: readonly PartPort[];
  /** Those of the part that have to be there first, by their place in the list. */
  readonly after: readonly number[];
}

export interface PartPort extends PortQuality {
  readonly name: string;
  readonly network: string;
  readonly address?: string;
  readonly serviceAddresses: readonly string[];
  readonly allow?: readonly TrafficRule[];
}

export interface SiteTemplate {
  readonly template: Group;
  /** Names in the template, in the order of the part. */
  readonly networks: readonly { readonly network: string; readonly subnet: string }[];
  readonly units: readonly { readonly server: string; readonly ports: readonly string[] }[];
}

/**
 * One stack for the part of a service at a site. Images, flavours and hosts are added by whoever knows the site. Names stay
 * as they are while a unit stays: an update changes nothing else.
 */
export function writeSitePart({ description, prefix: begin = '', networks, units }: SitePart): SiteTemplate {
  const resources: Record<string, Group> = {};
  const places = new Map(
    networks.map(({ name, there }) => [
      name,
      there ?? { network: `${begin}network_${name}`, subnet: `${begin}subnet_${name}` },
    ]),
  );
  for (const { name, prefix, mtu, there } of networks) {
    if (there !== undefined) continue;
    const { network, subnet } = places.get(name)!;
    resources[network] = { type: 'OS::Neutron::Net', properties: { name, value_specs: { mtu } } };
    resources[subnet] = {
      type: 'OS::Neutron::Subnet',
      properties: { name, network: { get_resource: network }, ip_version: 4, cidr: prefix },
    };
  }
  const shared = new SharedResources(resources, begin);
  const named = units.map((unit) => `${begin}${unitName(unit)}`);
  const written = units.map((unit, at) => {
    const server = named[at]!;
    const ports = unit.ports.map((port, nth) => {
      const name = `${server}__port_${nth}`;
      const network = networks.find((one) => one.name === port.network);
      const place = places.get(port.network)!;
      resources[name] = {
        type: 'OS::Neutron::Port',
        properties: {
          name: `${unit.path}#${unit.index}.${port.name}`,
          network: { get_resource: place.network },
          fixed_ips: [
            {
              subnet: { get_resource: place.subnet },
              ...(port.address === undefined ? {} : { ip_address: port.address }),
            },
          ],
          security_groups: [shared.rules(port.allow ?? [{ from: network?.supernet ?? '0.0.0.0/0' }])],
          ...allowedPairs(unit.forwards ? ['0.0.0.0/0'] : port.serviceAddresses),
          ...(qualitiesOf(port).length === 0 ? {} : { qos_policy: shared.quality(qualityOf(port)) }),
        },
      };
      return name;
    });
    const after = unit.after.map((other) => named[other]!);
    resources[server] = {
      type: 'OS::Nova::Server',
      ...(after.length === 0 ? {} : { depends_on: after }),
      properties: {
        name: `${unit.path}#${unit.index}`,
        networks: ports.map((port) => ({ port: { get_resource: port } })),
      },
    };
    return { server, ports };
  });
  return {
    template: { heat_template_version: VERSION, description, resources },
    networks: networks.map(({ name }) => places.get(name)!),
    units: written,
  };
}

/** Labels have no underscore, so that no two units come to one name. */
function unitName({ path, index, generation }: PartUnit): string {
  const name = `unit_${path.replaceAll('/', '_')}_${index}`;
  return generation === 1 ? name : `${name}__${generation}`;
}

function allowedPairs(addresses: readonly string[]): Group {
  if (addresses.length === 0) return {};
  return { allowed_address_pairs: addresses.map((ip_address) => ({ ip_address })) };
}

/** What ports have in common is made once: quotas are small. */
class SharedResources {
  readonly #resources: Record<string, Group>;
  readonly #begin: string;
  readonly #rules = new Map<string, string>();

  constructor(resources: Record<string, Group>, begin: string) {
    this.#resources = resources;
    this.#begin = begin;
  }

  rules(allow: readonly TrafficRule[]): Group {
    const key = canonicalJson(allow);
    let name = this.#rules.get(key);
    if (name === undefined) {
      name = `${this.#begin}rules_${sha256(key).slice(0, 16)}`;
      this.#rules.set(key, name);
      this.#resources[name] = {
        type: 'OS::Neutron::SecurityGroup',
        properties: { rules: [...securityRules(allow), ...OUT] },
      };
    }
    return { get_resource: name };
  }

  quality(quality: PortQuality): Group {
    const name = `${this.#begin}quality_${sha256(canonicalJson(quality)).slice(0, 16)}`;
    if (this.#resources[name] === undefined) Object.assign(this.#resources, qualityResources(name, quality));
    return { get_resource: name };
  }
}

/** Heat takes away the rules that let everything out, where there are others. */
const OUT = [
  { direction: 'egress', ethertype: 'IPv4' },
  { direction: 'egress', ethertype: 'IPv6' },
] as const;
