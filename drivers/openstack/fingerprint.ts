import { locatorOf, routerSid } from '@superfluidity/fabric';
import type { BalancerBackend, PortQualityKind } from '@superfluidity/model';
import { extensions, listQosRuleTypes, type ServiceType } from '@superfluidity/openstack';
import type { Fingerprint } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Hosts } from './hosts.ts';
import type { OctaviaBalancers } from './octavia/balancers.ts';
import type { World } from './world.ts';

type Capability = Fingerprint['capabilities'][number];

/** Services that are not in every cloud, with what they are for. */
const SERVICES: readonly (readonly [ServiceType, string])[] = [
  ['placement', 'says how much room hypervisors have'],
  ['block-storage', 'volumes to boot from'],
  ['load-balancer', 'balancers'],
  ['orchestration', 'stacks'],
  ['workflow', 'workflows'],
  ['baremetal', 'whole machines as servers'],
];

/** Extensions of Neutron, with what they are for. */
const EXTENSIONS: readonly (readonly [string, string])[] = [
  ['security-group', 'rules of what may come in'],
  ['allowed-address-pairs', 'service addresses'],
  ['router', 'routers and floating IPs'],
  ['qos', 'bandwidth, guarantees and marks of ports'],
  ['trunk', 'many networks on one port'],
  ['sfc', 'service chains'],
  ['tag-ports-during-bulk-creation', 'one request for a port and its tags'],
];

const NO_GATEWAY = { present: false, note: 'none is configured: no links to other sites' };
const NO_NOTIFICATIONS = { present: false, note: 'none are configured: changes are seen by polling' };

interface Known {
  readonly capabilities: readonly Capability[];
  readonly balancing: readonly BalancerBackend[];
  readonly qualities: readonly PortQualityKind[];
}

export interface FingerprintParts {
  readonly world: World;
  readonly hosts: Hosts;
  readonly balancers: OctaviaBalancers;
  readonly gateway: Gateway | undefined;
  readonly notified: () => { readonly present: boolean; readonly note: string } | undefined;
}

/** What the site can do, as its services say now. */
export class Fingerprints {
  readonly #parts: FingerprintParts;
  #known: { readonly untilMs: number; readonly said: Promise<Known> } | undefined;

  constructor(parts: FingerprintParts) {
    this.#parts = parts;
  }

  async read(): Promise<Fingerprint> {
    const { world, gateway, notified } = this.#parts;
    const { siteId } = world;
    const [hosts, { capabilities, balancing, qualities }] = await Promise.all([this.#parts.hosts.list(), this.#read()]);
    const isAdmin = hosts.some(({ kind }) => kind === 'hypervisor');
    const note = isAdmin
      ? 'hosts are hypervisors'
      : 'hosts are availability zones with the quota of the project, which the zones share';
    return {
      hosts: hosts.map(({ host }) => host),
      environments: ['vm'],
      balancing,
      qualities,
      capabilities: [
        { name: 'hypervisors', present: isAdmin, note },
        ...capabilities,
        { name: 'gateway', ...(gateway?.state ?? NO_GATEWAY) },
        { name: 'notifications', ...(notified() ?? NO_NOTIFICATIONS) },
      ],
      ...(gateway === undefined ? {} : { crossing: 'ends' }),
      realPackets: true,
      locator: `${locatorOf(siteId)}::/48`,
      routerSid: routerSid(siteId),
    };
  }

  /** Whether the site has a capability. */
  async has(name: string): Promise<boolean> {
    return (await this.#read()).capabilities.some((one) => one.name === name && one.present);
  }

  #read(): Promise<Known> {
    const now = this.#parts.world.clock.now();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      const said = this.#ask();
      const known = { untilMs: now + LIMITS.capabilitiesKeptMs, said };
      this.#known = known;
      said.catch(() => {
        if (this.#known === known) this.#known = undefined;
      });
    }
    return this.#known.said;
  }

  async #ask(): Promise<Known> {
    const aliases = extensions(this.#parts.world.cloud, this.#parts.world.ask());
    const [capabilities, balancing, qualities] = await Promise.all([
      aliases.then((known) => this.#capabilities(known)),
      this.#parts.balancers.kinds(this.#parts.world.ask()),
      aliases.then((known) => (known.has('qos') ? this.#qualities() : [])),
    ]);
    return { capabilities, balancing, qualities };
  }

  /** By the types of rules that the back ends of this cloud carry out. */
  async #qualities(): Promise<readonly PortQualityKind[]> {
    const { cloud, config } = this.#parts.world;
    const types = new Set(await listQosRuleTypes(cloud, this.#parts.world.ask()));
    return [
      ...(types.has('bandwidth_limit') ? (['bandwidth'] as const) : []),
      // Tunnels share what is below them: Neutron promises bandwidth on networks of a physical one only.
      ...(types.has('minimum_bandwidth') && config.physicalNetwork !== undefined ? (['guarantee'] as const) : []),
      ...(types.has('dscp_marking') ? (['dscp'] as const) : []),
    ];
  }

  async #capabilities(aliases: ReadonlySet<string>): Promise<readonly Capability[]> {
    const { cloud, config } = this.#parts.world;
    const endpoints = await Promise.all(SERVICES.map(([type]) => cloud.endpoint(type)));
    const { reach, consoleMarker } = config.health;
    const looks = {
      none:
        consoleMarker === undefined
          ? 'units are ready when Nova says ACTIVE'
          : 'the console shows when a unit is ready',
      direct: 'units are asked at their own addresses',
      'floating-ip': 'units are asked at their floating IPs',
      proxy: 'units are asked through a proxy',
    };
    return [
      ...SERVICES.map(([name, note], at): Capability => ({ name, present: endpoints[at] !== undefined, note })),
      ...EXTENSIONS.map(([name, note]): Capability => ({ name, present: aliases.has(name), note })),
      { name: 'health checks', present: reach.kind !== 'none' || consoleMarker !== undefined, note: looks[reach.kind] },
      {
        name: 'external network',
        present: config.externalNetwork !== undefined,
        note: config.externalNetwork ?? 'none is configured',
      },
      { name: 'data plane', present: false, note: 'the rules of the hosts of a cloud are not read by its tenants' },
      { name: 'terminal', present: false, note: 'the consoles of servers are read and not written' },
    ];
  }
}
