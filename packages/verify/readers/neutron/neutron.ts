import type { InputFile, Reading } from '../../read/reader.ts';
import { familyOf } from '../netfilter/addresses.ts';
import { unusable } from '../../read/lines.ts';
import { Account } from './account.ts';
import type { FixedIp, NeutronDeployment, Route, SubPort, Trunk } from './deployment.ts';
import { type Json, parseJson } from './json.ts';
import { Resource } from './resource.ts';
import { firewallRule, portForwarding, securityRule } from './rules.ts';

const lists = [
  'networks',
  'subnets',
  'routers',
  'ports',
  'security_groups',
  'security_group_rules',
  'address_groups',
  'floatingips',
  'trunks',
  'firewall_groups',
  'firewall_policies',
  'firewall_rules',
];
const start = new RegExp(String.raw`^\s*\{\s*"(?:${lists.join('|')})"\s*:\s*\[`);

export function looksLikeNeutron(text: string): boolean {
  return start.test(text.slice(0, 4_096));
}

/** Answers of the Networking API v2.0 to `GET /v2.0/networks` and so on: one of them, or an object that has several. */
export function readNeutron(file: InputFile): Reading<NeutronDeployment> {
  const ledger = new Account(file);
  const whole = parseJson(file);
  if (whole.kind !== 'object') throw unusable(file.path, whole.line, 'it is no object with lists of the API');
  for (const line of [whole.line, whole.end]) ledger.used(line);
  const found = new Map<string, readonly Json[]>();
  for (const { key, line, value } of whole.members) {
    if (value.kind !== 'list') {
      ledger.notUnderstood(line, `${key} is no list`);
      continue;
    }
    for (const at of [line, value.line, value.end]) ledger.used(at);
    if (key.endsWith('_links'))
      for (let at = line; at <= value.end; at += 1) ledger.notUnderstood(at, 'the answer goes on on another page');
    else if (!lists.includes(key))
      for (let at = line; at <= value.end; at += 1) ledger.notUnderstood(at, `there are ${key}`);
    else if (found.has(key)) throw unusable(file.path, line, `there are two lists of ${key}`);
    else found.set(key, value.items);
  }
  const all = <T>(key: string, kind: string, one: (resource: Resource) => T): readonly T[] =>
    (found.get(key) ?? []).map((json) => {
      const resource = new Resource(kind, json, ledger);
      const made = one(resource);
      resource.finish();
      return made;
    });
  const loose = all('security_group_rules', 'security group rule', (resource) => ({
    group: resource.required('security_group_id'),
    rule: securityRule(resource),
  }));
  const groups = all('security_groups', 'security group', securityGroup);
  const ports = all('ports', 'port', port);
  const value: NeutronDeployment = {
    networks: all('networks', 'network', network),
    subnets: all('subnets', 'subnet', subnet),
    routers: all('routers', 'router', router),
    ports: ports.map(({ trunk: _, ...rest }) => rest),
    securityGroups: groups.map(({ nested, ...group }) => ({
      ...group,
      rules: nested.length > 0 ? nested : loose.filter((each) => each.group === group.id).map(({ rule }) => rule),
    })),
    addressGroups: all('address_groups', 'address group', addressGroup),
    floatingIps: all('floatingips', 'floating IP', floatingIp),
    trunks: [
      ...all('trunks', 'trunk', trunk),
      // The port of a trunk tells of it too.
      ...ports.flatMap(({ trunk: own }) => (own === undefined ? [] : [own])),
    ],
    firewallGroups: all('firewall_groups', 'firewall group', firewallGroup),
    firewallPolicies: all('firewall_policies', 'firewall policy', (each) => ({
      ...named(each),
      rules: each.texts('firewall_rules'),
    })),
    firewallRules: all('firewall_rules', 'firewall rule', firewallRule),
  };
  return { value, reading: ledger.reading() };
}

function named(resource: Resource) {
  return { id: resource.required('id'), name: resource.text('name') ?? '', source: resource.source() };
}

const optional = <K extends string, T>(key: K, value: T | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: T };

const MTU_MOST = 2 ** 31 - 1;

function network(resource: Resource) {
  if (resource.flag('vlan_transparent', false)) resource.doubt('vlan_transparent', 'tags of tenants are not modelled');
  const mtu = resource.integer('mtu', MTU_MOST);
  return {
    ...named(resource),
    up: resource.flag('admin_state_up', true),
    external: resource.flag('router:external', false),
    // 0: nobody said.
    ...(mtu === undefined || mtu === 0 ? {} : { mtu }),
  };
}

function subnet(resource: Resource) {
  return {
    ...named(resource),
    network: resource.required('network_id'),
    cidr: resource.requiredPrefix('cidr'),
    ...optional('gateway', resource.address('gateway_ip')),
    hostRoutes: routes(resource, 'host_routes'),
  };
}

function routes(resource: Resource, key: string): readonly Route[] {
  return resource.list(key, 'route', (each) => ({
    to: each.requiredPrefix('destination'),
    through: each.requiredAddress('nexthop'),
    source: each.source('destination'),
  }));
}

function router(resource: Resource) {
  const outside = resource.inner('external_gateway_info');
  const gateway =
    outside === undefined
      ? undefined
      : { network: outside.required('network_id'), snat: outside.flag('enable_snat', true) };
  outside?.finish();
  return {
    ...named(resource),
    up: resource.flag('admin_state_up', true),
    routes: routes(resource, 'routes'),
    ...optional('gateway', gateway),
  };
}

function port(resource: Resource) {
  const id = resource.required('id');
  const details = resource.inner('trunk_details');
  const own =
    details === undefined
      ? undefined
      : { source: resource.source(), up: true, parent: id, subPorts: subPorts(details) };
  details?.finish();
  return {
    ...named(resource),
    ...optional('trunk', own),
    network: resource.required('network_id'),
    up: resource.flag('admin_state_up', true),
    mac: resource.mac('mac_address') ?? 0n,
    owner: resource.text('device_owner') ?? '',
    device: resource.text('device_id') ?? '',
    addresses: resource.list('fixed_ips', 'fixed IP', fixedIp),
    securityGroups: resource.texts('security_groups'),
    portSecurity: resource.flag('port_security_enabled', true),
    allowed: resource.list('allowed_address_pairs', 'address pair', (pair) => ({
      prefix: pair.requiredPrefix('ip_address'),
      ...optional('mac', pair.mac('mac_address')),
    })),
  };
}

function trunk(resource: Resource): Trunk {
  return {
    source: resource.source(),
    up: resource.flag('admin_state_up', true),
    parent: resource.required('port_id'),
    subPorts: subPorts(resource),
  };
}

function subPorts(resource: Resource): readonly SubPort[] {
  return resource.list('sub_ports', 'sub-port', (each) => {
    each.oneOf('segmentation_type', ['vlan', 'inherit'], 'vlan');
    const vlan = each.integer('segmentation_id', 4_094) ?? each.wrong('segmentation_id', 'is missing');
    return { port: each.required('port_id'), vlan };
  });
}

function fixedIp(resource: Resource): FixedIp {
  const text = resource.required('ip_address');
  return {
    subnet: resource.required('subnet_id'),
    family: familyOf(text),
    address: resource.requiredAddress('ip_address'),
  };
}

function securityGroup(resource: Resource) {
  return {
    ...named(resource),
    stateful: resource.flag('stateful', true),
    nested: resource.list('security_group_rules', 'security group rule', securityRule),
  };
}

function floatingIp(resource: Resource) {
  resource.text('port_id');
  return {
    id: resource.required('id'),
    source: resource.source(),
    network: resource.required('floating_network_id'),
    address: resource.requiredAddress('floating_ip_address'),
    ...optional('fixed', resource.address('fixed_ip_address')),
    ...optional('router', resource.text('router_id')),
    forwardings: resource.list('port_forwardings', 'port forwarding', portForwarding),
  };
}

function addressGroup(resource: Resource) {
  return { ...named(resource), addresses: resource.prefixes('addresses') };
}

function firewallGroup(resource: Resource) {
  return {
    ...named(resource),
    up: resource.flag('admin_state_up', true),
    ports: resource.texts('ports'),
    ...optional('ingress', resource.text('ingress_firewall_policy_id')),
    ...optional('egress', resource.text('egress_firewall_policy_id')),
  };
}
