import { canonicalJson } from '@superfluidity/core';
import {
  parseIpv4,
  parseIpv4Prefix,
  prefixHas,
  splitPortReference,
  type Balancer,
  type Chain,
  type Network,
  type Service,
} from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { given, groupAt, isGroup, type Group } from '../groups.ts';
import { nameIn } from '../names.ts';
import { portableYaml } from '../yaml-portable.ts';
import { changedStack } from './change.ts';
import { readHeat } from './read.ts';
import { listenerWords, poolWords, probeWords } from './balancer-words.ts';
import { VERSION } from './version.ts';
import { functionTemplates, isScaled, type Within } from './write-function.ts';

/**
 * A service as one stack: a template for each function, which can be created alone in networks that are there, and one that makes
 * the networks and has the functions as nested stacks. A stack that was read and still says the same is written as it was.
 */
export function writeHeat(service: Service, lose: Lose): readonly DescriptorFile[] {
  const kept = unchanged(service) ?? changed(service, lose);
  if (kept !== undefined) return kept;
  if (isGroup(groupAt(service.block.carried, 'heat')['files']))
    lose('', 'what the templates that were read say beside this: parameters, conditions, outputs and other resources');
  const poolsOf = new Map<string, readonly Balancer[]>();
  const balancers = service.balancers.flatMap((balancer, i) => balanced(balancer, i, service, lose));
  for (const { balancer } of balancers) poolsOf.set(balancer.unit, [...(poolsOf.get(balancer.unit) ?? []), balancer]);
  const chains = service.chains.flatMap((chain, i) => (isSayable(chain, i, service, lose) ? [chain] : []));
  const within: Within = {
    service,
    lose,
    poolsOf,
    ends: new Map(chains.map(({ to, address }) => [hopAt(to, service), address])),
  };
  const functions = service.block.children.map((fn, i) => functionTemplates(fn, i, within));
  const resources = {
    ...networks(service),
    ...Object.assign({}, ...balancers.map((one) => one.resources)),
    ...Object.assign({}, ...functions.map(({ nested, name }) => ({ [functionName(name)]: nested }))),
    ...Object.assign({}, ...chains.map((chain) => chained(chain, service))),
  } as Group;
  const { block, version } = service;
  const entry = {
    heat_template_version: VERSION,
    ...given({ description: block.description }),
    resources,
    outputs: {
      service: { description: 'Name and version of the service', value: { name: nameIn('heat', block), version } },
    },
  };
  return [
    file(`${block.name}.yaml`, entry),
    ...functions.flatMap(({ files }) => files.map(({ path, value }) => file(path, value))),
  ];
}

const functionName = (fn: string) => `function_${fn}`;

function file(path: string, value: object): DescriptorFile {
  return { path, bytes: new TextEncoder().encode(portableYaml(value)) };
}

/** The files that the service was read from. */
function carriedFiles({ block }: Service): readonly DescriptorFile[] | undefined {
  const carried = groupAt(block.carried, 'heat')['files'];
  if (!isGroup(carried)) return undefined;
  return Object.entries(carried).map(([path, value]): DescriptorFile => {
    return typeof value === 'string' ? { path, bytes: new TextEncoder().encode(value) } : file(path, value as object);
  });
}

/** With what has changed since, and nothing else, where that is in its own template. */
function changed(service: Service, lose: Lose): readonly DescriptorFile[] | undefined {
  const files = carriedFiles(service);
  const templates = files === undefined ? undefined : changedStack(files, service, lose);
  return templates === undefined
    ? undefined
    : files!.map((one) => (templates.has(one.path) ? file(one.path, templates.get(one.path)!) : one));
}

/** Where they say what it says. */
function unchanged(service: Service): readonly DescriptorFile[] | undefined {
  const files = carriedFiles(service);
  if (files === undefined) return undefined;
  const before = readHeat(files).service;
  return before !== undefined && meaning(before) === meaning(service) ? files : undefined;
}

const meaning = (service: Service) => canonicalJson(service, new Set(['carried']));

/** All networks of a service are routed to each other, as they are at other sites. */
function networks(service: Service): Group {
  const resources: Record<string, unknown> = {};
  const names = service.networks.map((network) => network.name);
  const routed = names.length > 1 || service.chains.length > 0;
  if (routed) resources['service_router'] = { type: 'OS::Neutron::Router' };
  for (const { name, prefix, mtu } of service.networks) {
    const value = mtu === undefined ? {} : { value_specs: { mtu } };
    resources[netName(name)] = { type: 'OS::Neutron::Net', properties: { name, ...value } };
    resources[subnetName(name)] = {
      type: 'OS::Neutron::Subnet',
      properties: { network: { get_resource: netName(name) }, ip_version: 4, cidr: prefix },
    };
    if (!routed) continue;
    resources[`interface_${name}`] = {
      type: 'OS::Neutron::RouterInterface',
      properties: { router: { get_resource: 'service_router' }, subnet: { get_resource: subnetName(name) } },
    };
  }
  return resources;
}

export const netName = (network: string): string => `network_${network}`;
export const subnetName = (network: string): string => `subnet_${network}`;
export const poolName = (balancer: string): string => `balancer_${balancer}_pool`;

function unitAt(path: string, service: Service) {
  const [fn, ...rest] = path.split('/');
  return service.block.children.find(({ name }) => name === fn)?.children.find(({ name }) => name === rest.join('/'));
}

function balanced(
  balancer: Balancer,
  i: number,
  service: Service,
  lose: Lose,
): readonly { readonly balancer: Balancer; readonly resources: Group }[] {
  const { name, unit: path, address, health } = balancer;
  const unit = unitAt(path, service);
  const first = unit?.ports.find(({ network }) => network !== undefined);
  if (first === undefined) {
    lose(`balancers[${i}]`, `balancer '${name}', whose unit has no port on a network`);
    return [];
  }
  const value = parseIpv4(address) ?? -1;
  const has = ({ prefix }: Network) => {
    const parsed = parseIpv4Prefix(prefix);
    return parsed !== undefined && value >= 0 && prefixHas(parsed, value);
  };
  const around = service.networks.find(has);
  if (around === undefined)
    lose(`balancers[${i}].address`, `address ${address} of balancer '${name}', which lies in no network`);
  const network = around?.name ?? first.network!;
  const base = `balancer_${name}`;
  const monitor = health === undefined ? undefined : monitorOf(balancer, i, lose);
  return [
    {
      balancer,
      resources: {
        [base]: {
          type: 'OS::Octavia::LoadBalancer',
          properties: {
            name,
            vip_subnet: { get_resource: subnetName(network) },
            ...(around === undefined ? {} : { vip_address: address }),
          },
        },
        [`${base}_listener`]: {
          type: 'OS::Octavia::Listener',
          properties: { loadbalancer: { get_resource: base }, ...listenerWords(balancer) },
        },
        [poolName(name)]: {
          type: 'OS::Octavia::Pool',
          properties: { listener: { get_resource: `${base}_listener` }, ...poolWords(balancer, i, lose) },
        },
        ...(monitor === undefined
          ? {}
          : { [`${base}_monitor`]: { type: 'OS::Octavia::HealthMonitor', properties: monitor } }),
      },
    },
  ];
}

function monitorOf(balancer: Balancer, i: number, lose: Lose): Group | undefined {
  const { name, health } = balancer;
  const at = `balancers[${i}].health`;
  if (health === undefined || health.kind === 'running') {
    if (health !== undefined) lose(at, `health 'running' of balancer '${name}'`);
    return undefined;
  }
  const timeout = Math.max(1, Math.ceil(health.timeoutMs / 1_000));
  if (timeout * 1_000 !== health.timeoutMs) lose(at, `a time limit of ${health.timeoutMs} ms of balancer '${name}'`);
  const path = health.kind === 'http' || health.kind === 'https' ? { url_path: health.path } : {};
  const { intervalMs = (timeout + 1) * 1_000, rise = 3 } = health;
  const delay = Math.max(timeout + 1, Math.ceil(intervalMs / 1_000));
  if (delay * 1_000 !== intervalMs) lose(at, `an interval of ${intervalMs} ms of balancer '${name}'`);
  return {
    pool: { get_resource: poolName(name) },
    ...probeWords(balancer, at, lose),
    // It must not ask again before the time limit is over (Octavia API, health monitors).
    delay,
    timeout,
    max_retries: rise,
    ...path,
  };
}

/** `fn/unit.port`, with the port that is meant. */
function hopAt(reference: string, service: Service): string {
  const { path, port } = splitPortReference(reference);
  const name = port ?? unitAt(path, service)?.ports.find(({ network }) => network !== undefined)?.name ?? '';
  return `${path}.${name}`;
}

function isSayable(chain: Chain, i: number, service: Service, lose: Lose): boolean {
  const hops = [chain.from, ...chain.through, chain.to];
  const several = hops.find((hop) => isScaled(unitAt(splitPortReference(hop).path, service)));
  if (chain.through.length > 0 && several === undefined) return true;
  const why =
    several === undefined ? 'which leads through nothing' : `of which '${several}' may have several instances`;
  lose(`chains[${i}]`, `chain '${chain.name}', ${why}`);
  return false;
}

/** A port chain, and a route to its address: that of the last port. */
function chained(chain: Chain, service: Service): Group {
  const { name, address, protocol, ports } = chain;
  const base = `chain_${name}`;
  const attribute = (reference: string, what = '') => {
    const { path, port = '' } = splitPortReference(hopAt(reference, service));
    const [fn = '', unit = ''] = path.split('/');
    return { get_attr: [functionName(fn), `${unit}_${port}${what}`] };
  };
  const pairs = chain.through.flatMap((hop, i) => [
    [
      `${base}_pair_${i}`,
      { type: 'OS::Neutron::PortPair', properties: { ingress: attribute(hop), egress: attribute(hop) } },
    ],
    [
      `${base}_group_${i}`,
      { type: 'OS::Neutron::PortPairGroup', properties: { port_pairs: [{ get_resource: `${base}_pair_${i}` }] } },
    ],
  ]);
  const flows = (ports.length === 0 ? [undefined] : ports).map((port, i) => [
    `${base}_flow_${i}`,
    {
      type: 'OS::Neutron::FlowClassifier',
      properties: {
        ethertype: 'IPv4',
        ...(protocol === 'any' ? {} : { protocol }),
        ...(port === undefined ? {} : { destination_port_range_min: port, destination_port_range_max: port }),
        destination_ip_prefix: `${address}/32`,
        logical_source_port: attribute(chain.from),
        logical_destination_port: attribute(chain.to),
      },
    },
  ]);
  const named = (list: readonly (readonly unknown[])[], what: RegExp) =>
    list
      .map(([one]) => String(one))
      .filter((one) => what.test(one))
      .map((one) => ({ get_resource: one }));
  return {
    ...Object.fromEntries([...pairs, ...flows] as [string, unknown][]),
    [base]: {
      type: 'OS::Neutron::PortChain',
      properties: { name, port_pair_groups: named(pairs, /_group_\d+$/), flow_classifiers: named(flows, /_flow_\d+$/) },
    },
    [`${base}_route`]: {
      type: 'OS::Neutron::ExtraRouteSet',
      depends_on: service.networks.map((network) => `interface_${network.name}`),
      properties: {
        router: { get_resource: 'service_router' },
        routes: [{ destination: `${address}/32`, nexthop: attribute(chain.to, '_address') }],
      },
    },
  };
}
