import { parseIpv4 } from '@superfluidity/model';
import { given, listOf, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import type { NativeBalancerHealth, NativeService } from '../native/schema.ts';
import { shorten } from '../yaml-text.ts';
import { layerOf, readWords } from './balancer-words.ts';
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
function hopsOf(units: readonly ReadUnit[]): ReadonlyMap<unknown, string> {
  const hops = new Map<unknown, string>();
  const add = (resource: Resource | undefined, hop: string) => {
    if (resource !== undefined && !hops.has(resource)) hops.set(resource, hop);
  };
  for (const { path, unit, resource, ports } of units) {
    ports.forEach((port, i) => {
      const own = unit.ports?.[i];
      if (own !== undefined && typeof own !== 'string') add(port, `${path}.${own.name}`);
    });
    add(resource, path);
  }
  return hops;
}

/** Port chains (networking-sfc): a classifier of what comes from one port, through groups of port pairs, to another. */
export function readChains(units: readonly ReadUnit[], { resources, report }: Around) {
  const names = new Names();
  const hops = hopsOf(units);
  return resources
    .ofType('OS::Neutron::PortChain')
    .flatMap((resource): readonly { readonly resource: Resource; readonly chain: Unaddressed<NativeChain> }[] => {
      const kept = (why: string) => {
        const message = `port chain '${shorten(resource.name)}' is carried: ${why}`;
        report.warn('SF-DESCRIPTOR-UNSUPPORTED', resource.position(), message);
        return [];
      };
      const { port_pair_groups: groups, flow_classifiers: flows, name } = resource.properties();
      const through = referredAll(groups).map((group) => {
        const [pair, ...others] = referredAll(group.properties()['port_pairs']);
        return others.length > 0 ? undefined : hops.get(referred(pair?.properties()['ingress']));
      });
      const classifiers = referredAll(flows).map((flow) => flow.properties());
      const [first] = classifiers;
      const from = hops.get(referred(first?.['logical_source_port']));
      const to = hops.get(referred(first?.['logical_destination_port']));
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

function poolOf(listener: Resource | undefined): Resource | undefined {
  const pool = referred(listener?.properties()['default_pool']);
  return pool?.type === 'OS::Octavia::Pool' ? pool : undefined;
}

/** Balancers of Octavia: the first listener of each, with the pool behind it. */
export function readBalancers(units: readonly ReadUnit[], { resources, report }: Around) {
  const names = new Names();
  const hops = hopsOf(units);
  const of = (type: string, property: string, wanted: unknown) =>
    resources.of(`OS::Octavia::${type}`, [property], wanted);
  return resources
    .ofType('OS::Octavia::LoadBalancer')
    .flatMap((resource): readonly { readonly resource: Resource; readonly balancer: Unaddressed<NativeBalancer> }[] => {
      const kept = (why: string) => {
        report.warn(
          'SF-DESCRIPTOR-UNSUPPORTED',
          resource.position(),
          `balancer '${shorten(resource.name)}' is carried: ${why}`,
        );
        return [];
      };
      const [listener, second] = of('Listener', 'loadbalancer', resource);
      if (second !== undefined) kept('a balancer has one listener here, and the first is taken');
      const pool = of('Pool', 'listener', listener)[0] ?? poolOf(listener) ?? of('Pool', 'loadbalancer', resource)[0];
      const members = of('PoolMember', 'pool', pool);
      const behind = new Set(
        members.map((one) => hops.get(referred(one.properties()['address']))?.replace(/\.[^.]*$/, '')),
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
      const [monitor] = of('HealthMonitor', 'pool', pool);
      return [
        {
          resource,
          balancer: {
            name: names.fresh(textOf(resource.properties()['name']) ?? resource.name),
            unit,
            ...given({ address: known ? address : undefined }),
            port,
            targetPort,
            layer: layerOf(listener.properties()['protocol']),
            ...readWords(listener.properties(), pool.properties()),
            ...given({ weight: weightOf(member['weight']) }),
            ...given({
              health:
                monitor === undefined
                  ? undefined
                  : healthOf(monitor.properties(), Number(member['monitor_port'] ?? targetPort)),
            }),
          },
        },
      ];
    });
}

function weightOf(value: unknown): number | undefined {
  const weight = Number(value);
  return value !== undefined && Number.isInteger(weight) && weight >= 0 && weight <= 256 ? weight : undefined;
}

function healthOf(monitor: Group, port: number): NativeBalancerHealth | undefined {
  const { type, timeout, url_path: path } = monitor;
  const seconds = Number(timeout);
  const timeoutMs = Number.isFinite(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds * 1_000 : 5_000;
  const more = probing(monitor, timeoutMs);
  if (type === 'PING') return { kind: 'ping', timeoutMs, ...more };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (type === 'TCP') return { kind: 'tcp', port, timeoutMs, ...more };
  if (type === 'UDP-CONNECT') return { kind: 'udp-connect', port, timeoutMs, ...more };
  if (type !== 'HTTP' && type !== 'HTTPS') return undefined;
  const asked = { path: textOf(path)?.slice(0, 4_096) ?? '/', timeoutMs, ...more, ...request(monitor) };
  return { kind: type === 'HTTP' ? 'http' : 'https', port, ...asked };
}

/** Where it is not what is written when nothing is said. */
function probing({ delay, max_retries: rise }: Group, timeoutMs: number) {
  const seconds = Number(delay);
  const customary = Math.max(1, Math.ceil(timeoutMs / 1_000)) + 1;
  const within = (value: unknown) => Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 10;
  return given({
    intervalMs: seconds > 0 && seconds <= 86_400 && seconds !== customary ? seconds * 1_000 : undefined,
    rise: within(rise) && Number(rise) !== 3 ? Number(rise) : undefined,
  });
}

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'PATCH', 'CONNECT'] as const;

function request({ http_method: method, expected_codes: codes }: Group) {
  return given({
    method: METHODS.find((one) => one === method),
    codes: codes === undefined || codes === '' ? undefined : String(codes),
  });
}
