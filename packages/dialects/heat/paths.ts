import { parseIpv4 } from '@superfluidity/model';
import { given, listOf, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import type { NativeHealth, NativeService } from '../native/schema.ts';
import { shorten } from '../yaml-text.ts';
import type { Around } from './read.ts';
import type { Resource } from './stack.ts';
import type { ReadUnit } from './units.ts';
import { Reference } from './values.ts';

type NativeChain = NonNullable<NativeService['chains']>[number];
type NativeBalancer = NonNullable<NativeService['balancers']>[number];
type Unaddressed<T extends { address: string }> = Omit<T, 'address'> & { readonly address?: string };

const referred = (value: unknown): Resource | undefined => (value instanceof Reference ? value.resource : undefined);
const referredAll = (value: unknown): readonly Resource[] => listOf(value).flatMap((one) => referred(one) ?? []);

/** Where a port or server is among the units: `radio/rrh.eth0`. */
function hopOf(resource: Resource | undefined, units: readonly ReadUnit[]): string | undefined {
  for (const unit of units) {
    const index = unit.ports.findIndex((port) => port !== undefined && port === resource);
    const port = unit.unit.ports?.[index];
    if (port !== undefined && typeof port !== 'string') return `${unit.path}.${port.name}`;
    if (unit.resource === resource) return unit.path;
  }
  return undefined;
}

/** Port chains (networking-sfc): a classifier of what comes from one port, through groups of port pairs, to another. */
export function readChains(units: readonly ReadUnit[], { resources, report }: Around) {
  const names = new Names();
  return resources
    .filter(({ type }) => type === 'OS::Neutron::PortChain')
    .flatMap((resource): readonly { readonly resource: Resource; readonly chain: Unaddressed<NativeChain> }[] => {
      const kept = (why: string) => {
        const message = `port chain '${shorten(resource.name)}' is carried: ${why}`;
        report.warn('SF-DESCRIPTOR-UNSUPPORTED', resource.position(), message);
        return [];
      };
      const { port_pair_groups: groups, flow_classifiers: flows, name } = resource.properties();
      const through = referredAll(groups).map((group) => {
        const [pair, ...others] = referredAll(group.properties()['port_pairs']);
        return others.length > 0 ? undefined : hopOf(referred(pair?.properties()['ingress']), units);
      });
      const classifiers = referredAll(flows).map((flow) => flow.properties());
      const [first] = classifiers;
      const from = hopOf(referred(first?.['logical_source_port']), units);
      const to = hopOf(referred(first?.['logical_destination_port']), units);
      if (from === undefined || to === undefined)
        return kept('its classifiers do not say from which port to which it leads');
      if (through.length === 0 || through.includes(undefined))
        return kept('a hop is not one port of a unit of these templates');
      const address = textOf(first!['destination_ip_prefix'])?.replace(/\/32$/, '');
      const known = address !== undefined && parseIpv4(address) !== undefined;
      const said = textOf(first!['protocol']);
      const protocol = said === 'tcp' || said === 'udp' ? said : 'any';
      const ports = protocol === 'any' ? [] : classifiers.flatMap((one) => portOf(one) ?? []);
      if (!known) kept('it does not say the address that it leads to: one is assumed');
      return [
        {
          resource,
          chain: {
            name: names.fresh(textOf(name) ?? resource.name),
            from,
            through: through as string[],
            to,
            ...given({ address: known ? address : undefined }),
            protocol,
            ports,
          },
        },
      ];
    });
}

function portOf(flow: Group): number | undefined {
  const port = Number(flow['destination_port_range_min'] ?? Number.NaN);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

/** Balancers of Octavia: the first listener of each, with the pool behind it. */
export function readBalancers(units: readonly ReadUnit[], { resources, report }: Around) {
  const names = new Names();
  const of = (type: string) => resources.filter((one) => one.type === `OS::Octavia::${type}`);
  return of('LoadBalancer').flatMap(
    (resource): readonly { readonly resource: Resource; readonly balancer: Unaddressed<NativeBalancer> }[] => {
      const kept = (why: string) => {
        report.warn(
          'SF-DESCRIPTOR-UNSUPPORTED',
          resource.position(),
          `balancer '${shorten(resource.name)}' is carried: ${why}`,
        );
        return [];
      };
      const [listener, second] = of('Listener').filter(
        (one) => referred(one.properties()['loadbalancer']) === resource,
      );
      if (second !== undefined) kept('a balancer has one listener here, and the first is taken');
      const pool = of('Pool').find((one) => {
        const { listener: by, loadbalancer } = one.properties();
        return (
          (listener !== undefined &&
            (referred(by) === listener || referred(listener.properties()['default_pool']) === one)) ||
          referred(loadbalancer) === resource
        );
      });
      const members = of('PoolMember').filter(
        (one) => pool !== undefined && referred(one.properties()['pool']) === pool,
      );
      const behind = new Set(
        members.map((one) => hopOf(referred(one.properties()['address']), units)?.replace(/\.[^.]*$/, '')),
      );
      const [unit] = behind;
      if (listener === undefined || pool === undefined) return kept('it has no listener with a pool');
      if (unit === undefined || behind.size !== 1)
        return kept('its members are not those of one unit of these templates');
      const port = Number(listener.properties()['protocol_port']);
      const member = members[0]!.properties();
      const targetPort = Number(member['protocol_port']);
      if (![port, targetPort].every((one) => Number.isInteger(one) && one > 0 && one <= 65_535))
        return kept('its ports are not told');
      const address = textOf(resource.properties()['vip_address']);
      const known = address !== undefined && parseIpv4(address) !== undefined;
      if (!known) {
        const message = `balancer '${shorten(resource.name)}' does not say its address: one is assumed`;
        report.warn('SF-DESCRIPTOR-ASSUMED', resource.position(), message);
      }
      const monitor = of('HealthMonitor').find((one) => referred(one.properties()['pool']) === pool);
      return [
        {
          resource,
          balancer: {
            name: names.fresh(textOf(resource.properties()['name']) ?? resource.name),
            unit,
            ...given({ address: known ? address : undefined }),
            port,
            targetPort,
            layer: listener.properties()['protocol'] === 'HTTP' ? ('http' as const) : ('tcp' as const),
            ...given({
              health:
                monitor === undefined
                  ? undefined
                  : healthOf(monitor.properties(), Number(member['monitor_port'] ?? targetPort)),
            }),
          },
        },
      ];
    },
  );
}

function healthOf({ type, timeout, url_path: path }: Group, port: number): NativeHealth | undefined {
  const seconds = Number(timeout);
  const timeoutMs = Number.isFinite(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds * 1_000 : 5_000;
  if (type === 'PING') return { kind: 'ping', timeoutMs };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (type === 'TCP') return { kind: 'tcp', port, timeoutMs };
  return type === 'HTTP' ? { kind: 'http', port, path: textOf(path)?.slice(0, 4_096) ?? '/', timeoutMs } : undefined;
}
