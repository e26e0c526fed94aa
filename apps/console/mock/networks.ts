import type { ListedNetwork, ServiceDetail, ServiceNetwork, Unit } from '@superfluidity/api';
import { readNative } from '@superfluidity/dialects';
import { unitsOf } from '@superfluidity/model';
import { Refusal } from './refusal.ts';
import { MOBILE_EDGE } from './blueprints.ts';
import type { World } from './world.ts';

const SITES = ['edge', 'core'];

/** The mock's units have names of their own: of one function, or of its unit of the same name. */
const pathHere = (path: string): string =>
  MOBILE_EDGE.find((one) => one.path === path)?.path ??
  MOBILE_EDGE.find((one) => one.path.split('/')[0] === path.split('/')[0])?.path ??
  path;

/** What a descriptor says of networks. */
export function networksIn(text: string): ServiceNetwork[] {
  const { service, problems } = readNative(text);
  if (service === undefined)
    throw new Refusal(422, 'SF-LIFECYCLE-DESCRIPTOR', problems[0]?.message ?? 'it cannot be read');
  const units = unitsOf(service);
  return service.networks.map(({ name, prefix, mtu = 1_500 }) => ({
    name,
    prefix,
    mtu,
    parts: SITES.map((site, i) => ({ site, prefix: prefix.replace(/\.0\.0\/\d+$/, `.${i + 1}.0/24`) })),
    ports: units.flatMap(({ path, unit }) =>
      unit.ports
        .filter((port) => port.network === name)
        .map(({ name: port, bandwidthMbps }) => ({
          unit: pathHere(path),
          port,
          ...(bandwidthMbps === undefined ? {} : { bandwidthMbps }),
        })),
    ),
  }));
}

/** Of one path: on which networks with which prefix, MTU and rate. */
const wiringOf = (networks: readonly ServiceNetwork[], path: string): string =>
  networks
    .flatMap(({ name, prefix, mtu, ports }) =>
      ports.filter(({ unit }) => unit === path).map((port) => JSON.stringify([name, prefix, mtu, port])),
    )
    .sort()
    .join();

/** The units that have to be made anew when the networks change. */
export const rewired = (service: ServiceDetail, next: readonly ServiceNetwork[]): readonly Unit[] =>
  service.units.filter(({ path }) => wiringOf(service.networks ?? [], path) !== wiringOf(next, path));

export function portsOf(networks: readonly ServiceNetwork[], path: string, site: string, n: number): Unit['ports'] {
  const subnet = site === 'edge' ? 1 : 2;
  const all = networks.flatMap((network) => network.ports.map((port) => ({ network, port })));
  const own = all.filter(({ port }) => port.unit === path);
  // Whatever is deployed, the mock runs the units of the demo: those that it does not name are on what there is.
  const attached = own.length > 0 ? own : all.slice(0, 1);
  return attached.map(({ network, port }, i) => ({
    name: port.port,
    network: network.name,
    address: `${network.prefix.split('.').slice(0, 2).join('.')}.${subnet}.${10 + (n % 240)}`,
    mac: `02:42:0a:${i.toString(16).padStart(2, '0')}:0${subnet}:${(10 + (n % 240)).toString(16).padStart(2, '0')}`,
    sid: `fd00:${subnet}::${(n + i * 1_000).toString(16)}`,
  }));
}

export function listedNetworks(world: World): ListedNetwork[] {
  const ofServices = [...world.services.values()].flatMap((service) =>
    (service.networks ?? []).map(({ name, prefix, mtu }): ListedNetwork => {
      const units = service.units.filter(({ ports }) => ports.some((port) => port.network === name));
      const sites = [...new Set(units.map(({ site }) => site))].sort();
      const id = `${service.name}.${name}`;
      return { id, of: 'service', owner: service.name, name, prefix, mtu, sites, portCount: units.length };
    }),
  );
  const ofSites = [...world.sites.values()].map(
    ({ name, hostCount }): ListedNetwork => ({
      id: name,
      of: 'site',
      owner: name,
      name: 'segments',
      prefix: `fd00:${name === 'edge' ? 1 : 2}::/48`,
      sites: [name],
      portCount: hostCount,
    }),
  );
  return [...ofServices, ...ofSites];
}
