import { z } from 'zod';
import type { Cloud } from '../cloud.ts';
import { path } from '../cloud.ts';
import { NeutronCollection } from './neutron-collection.ts';

/**
 * Neutron: https://docs.openstack.org/api-ref/network/v2/. Only the fields that are used here; fields that depend on an
 * extension or on the role of the user are optional.
 */

const marks = {
  name: z.string().default(''),
  description: z.string().nullish(),
  tags: z.array(z.string()).default([]),
  revision_number: z.number().optional(),
  project_id: z.string().default(''),
  created_at: z.string().optional(),
};

const network = z.object({
  id: z.string(),
  ...marks,
  /** ACTIVE, DOWN, BUILD, ERROR. */
  status: z.string().default('ACTIVE'),
  admin_state_up: z.boolean().default(true),
  mtu: z.number().nullish(),
  shared: z.boolean().default(false),
  port_security_enabled: z.boolean().optional(),
  qos_policy_id: z.string().nullish(),
  subnets: z.array(z.string()).default([]),
  'router:external': z.boolean().default(false),
  'provider:network_type': z.string().nullish(),
  'provider:physical_network': z.string().nullish(),
  'provider:segmentation_id': z.number().nullish(),
});
export type Network = z.infer<typeof network>;

export interface Marked {
  readonly name?: string;
  readonly description?: string;
  readonly project_id?: string;
}

export interface NetworkFields extends Marked {
  readonly admin_state_up?: boolean;
  readonly mtu?: number;
  readonly shared?: boolean;
  readonly port_security_enabled?: boolean;
  readonly qos_policy_id?: string | null;
  readonly 'router:external'?: boolean;
  readonly 'provider:network_type'?: string;
  readonly 'provider:physical_network'?: string;
  readonly 'provider:segmentation_id'?: number;
}

export const networks = new NeutronCollection<Network, NetworkFields>('network', 'networks', '/v2.0/networks', network);

const addressRange = z.object({ start: z.string(), end: z.string() });

const subnet = z.object({
  id: z.string(),
  ...marks,
  network_id: z.string(),
  ip_version: z.union([z.literal(4), z.literal(6)]),
  cidr: z.string(),
  gateway_ip: z.string().nullish(),
  enable_dhcp: z.boolean().default(true),
  allocation_pools: z.array(addressRange).default([]),
  dns_nameservers: z.array(z.string()).default([]),
  host_routes: z.array(z.object({ destination: z.string(), nexthop: z.string() })).default([]),
});
export type Subnet = z.infer<typeof subnet>;

export interface SubnetFields extends Marked {
  readonly network_id: string;
  readonly ip_version: 4 | 6;
  readonly cidr?: string;
  readonly subnetpool_id?: string;
  readonly prefixlen?: number;
  readonly gateway_ip?: string | null;
  readonly enable_dhcp?: boolean;
  readonly allocation_pools?: readonly z.infer<typeof addressRange>[];
  readonly dns_nameservers?: readonly string[];
  readonly host_routes?: readonly { readonly destination: string; readonly nexthop: string }[];
  readonly ipv6_ra_mode?: string;
  readonly ipv6_address_mode?: string;
}

export const subnets = new NeutronCollection<Subnet, SubnetFields>('subnet', 'subnets', '/v2.0/subnets', subnet);

const subPort = z.object({ port_id: z.string(), segmentation_type: z.string(), segmentation_id: z.number() });

const port = z.object({
  id: z.string(),
  ...marks,
  network_id: z.string(),
  /** ACTIVE, DOWN, BUILD, ERROR, N/A. Only agents and OVN set it. */
  status: z.string(),
  admin_state_up: z.boolean().default(true),
  mac_address: z.string(),
  fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).default([]),
  device_id: z.string().default(''),
  device_owner: z.string().default(''),
  security_groups: z.array(z.string()).default([]),
  port_security_enabled: z.boolean().optional(),
  allowed_address_pairs: z.array(z.object({ ip_address: z.string(), mac_address: z.string().optional() })).default([]),
  qos_policy_id: z.string().nullish(),
  /** With admin's role only. */
  'binding:host_id': z.string().nullish(),
  'binding:vnic_type': z.string().optional(),
  /** unbound, binding_failed, ovs, bridge, ... */
  'binding:vif_type': z.string().nullish(),
  'binding:vif_details': z.record(z.string(), z.unknown()).nullish(),
  'binding:profile': z.record(z.string(), z.unknown()).nullish(),
  trunk_details: z.object({ trunk_id: z.string(), sub_ports: z.array(subPort).default([]) }).nullish(),
});
export type Port = z.infer<typeof port>;

export interface PortFields extends Marked {
  readonly network_id: string;
  readonly admin_state_up?: boolean;
  readonly mac_address?: string;
  readonly fixed_ips?: readonly { readonly subnet_id?: string; readonly ip_address?: string }[];
  readonly device_id?: string;
  readonly device_owner?: string;
  readonly security_groups?: readonly string[];
  readonly port_security_enabled?: boolean;
  readonly allowed_address_pairs?: readonly { readonly ip_address: string; readonly mac_address?: string }[];
  readonly qos_policy_id?: string | null;
  readonly 'binding:host_id'?: string;
  readonly 'binding:vnic_type'?: string;
  readonly 'binding:profile'?: Readonly<Record<string, unknown>>;
  /** In bulk only with the extension `tag-ports-during-bulk-creation`; else left out by Neutron, without a word. */
  readonly tags?: readonly string[];
}

export const ports = new NeutronCollection<Port, PortFields>('port', 'ports', '/v2.0/ports', port);

const route = z.object({ destination: z.string(), nexthop: z.string() });
export type RouterRoute = Readonly<z.infer<typeof route>>;

const router = z.object({
  id: z.string(),
  ...marks,
  status: z.string().default('ACTIVE'),
  admin_state_up: z.boolean().default(true),
  /** With the extension `extraroute`. */
  routes: z.array(route).default([]),
  external_gateway_info: z
    .object({
      network_id: z.string(),
      /** With the extension `ext-gw-mode`. */
      enable_snat: z.boolean().optional(),
      external_fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).default([]),
    })
    .nullish(),
});
export type Router = z.infer<typeof router>;

export interface RouterFields extends Marked {
  readonly admin_state_up?: boolean;
  /** All of them: what is not named is taken away. */
  readonly routes?: readonly RouterRoute[];
  readonly external_gateway_info?: { readonly network_id: string; readonly enable_snat?: boolean } | null;
}

export const routers = new NeutronCollection<Router, RouterFields>('router', 'routers', '/v2.0/routers', router);

export type RouterInterface = { readonly subnet_id: string } | { readonly port_id: string };

const routerInterface = z.object({ port_id: z.string(), subnet_id: z.string().optional() });

export function addRouterInterface(
  cloud: Cloud,
  routerId: string,
  to: RouterInterface,
  signal: AbortSignal,
): Promise<z.infer<typeof routerInterface>> {
  return routers.act(cloud, routerId, 'add_router_interface', to, routerInterface, signal);
}

export async function removeRouterInterface(
  cloud: Cloud,
  routerId: string,
  from: RouterInterface,
  signal: AbortSignal,
): Promise<void> {
  await routers.act(cloud, routerId, 'remove_router_interface', from, z.unknown(), signal);
}

const securityGroupRule = z.object({
  id: z.string(),
  security_group_id: z.string(),
  direction: z.enum(['ingress', 'egress']),
  ethertype: z.string(),
  /** A name (tcp) or a number; null is any. */
  protocol: z.union([z.string(), z.number()]).nullish(),
  port_range_min: z.number().nullish(),
  port_range_max: z.number().nullish(),
  remote_ip_prefix: z.string().nullish(),
  remote_group_id: z.string().nullish(),
  description: z.string().nullish(),
});
export type SecurityGroupRule = z.infer<typeof securityGroupRule>;

export interface SecurityGroupRuleFields {
  readonly security_group_id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype?: 'IPv4' | 'IPv6';
  readonly protocol?: string | number | null;
  readonly port_range_min?: number | null;
  readonly port_range_max?: number | null;
  readonly remote_ip_prefix?: string | null;
  readonly remote_group_id?: string | null;
  readonly description?: string;
}

export const securityGroupRules = new NeutronCollection<SecurityGroupRule, SecurityGroupRuleFields>(
  'security_group_rule',
  'security_group_rules',
  '/v2.0/security-group-rules',
  securityGroupRule,
);

const securityGroup = z.object({
  id: z.string(),
  ...marks,
  stateful: z.boolean().optional(),
  security_group_rules: z.array(securityGroupRule).default([]),
});
export type SecurityGroup = z.infer<typeof securityGroup>;

export interface SecurityGroupFields extends Marked {
  readonly stateful?: boolean;
}

export const securityGroups = new NeutronCollection<SecurityGroup, SecurityGroupFields>(
  'security_group',
  'security_groups',
  '/v2.0/security-groups',
  securityGroup,
);

const floatingIp = z.object({
  id: z.string(),
  ...marks,
  status: z.string().nullish(),
  floating_network_id: z.string(),
  floating_ip_address: z.string(),
  fixed_ip_address: z.string().nullish(),
  port_id: z.string().nullish(),
  router_id: z.string().nullish(),
});
export type FloatingIp = z.infer<typeof floatingIp>;

export interface FloatingIpFields extends Marked {
  readonly floating_network_id: string;
  readonly floating_ip_address?: string;
  readonly fixed_ip_address?: string;
  readonly port_id?: string | null;
  readonly qos_policy_id?: string | null;
}

export const floatingIps = new NeutronCollection<FloatingIp, FloatingIpFields>(
  'floatingip',
  'floatingips',
  '/v2.0/floatingips',
  floatingIp,
);

const agent = z.object({
  id: z.string(),
  agent_type: z.string(),
  binary: z.string(),
  host: z.string(),
  alive: z.boolean(),
  admin_state_up: z.boolean().default(true),
  configurations: z.record(z.string(), z.unknown()).default({}),
});
export type Agent = z.infer<typeof agent>;

/** With admin's role only. */
export const agents = new NeutronCollection<Agent, { readonly admin_state_up?: boolean }>(
  'agent',
  'agents',
  '/v2.0/agents',
  agent,
);

const extensionsAnswer = z.object({ extensions: z.array(z.object({ alias: z.string() })) });

/** Aliases of what this Neutron can do besides its core: `trunk`, `qos`, `sfc`. */
export async function extensions(cloud: Cloud, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const answer = await cloud.json(
    { service: 'network', method: 'GET', path: '/v2.0/extensions', doing: 'list extensions of Neutron', signal },
    extensionsAnswer,
  );
  return new Set(answer.extensions.map(({ alias }) => alias));
}

const quotaAnswer = z.object({
  quota: z.record(z.string(), z.object({ limit: z.number(), used: z.number(), reserved: z.number().default(0) })),
});

export interface NeutronQuota {
  /** Infinity: none is set. */
  readonly limit: number;
  /** With what is reserved by requests under way. */
  readonly used: number;
}

/** Quotas and their use by kind: `port`, `network`, `security_group`. Of the project of the credentials unless another is named. */
export async function networkQuotas(
  cloud: Cloud,
  signal: AbortSignal,
  projectId?: string,
): Promise<Readonly<Record<string, NeutronQuota>>> {
  const project = projectId ?? (await cloud.session()).projectId;
  const answer = await cloud.json(
    {
      service: 'network',
      method: 'GET',
      path: path`/v2.0/quotas/${project}/details`,
      doing: `read the network quotas of project ${project}`,
      signal,
    },
    quotaAnswer,
  );
  return Object.fromEntries(
    Object.entries(answer.quota).map(([kind, { limit, used, reserved }]) => [
      kind,
      { limit: limit < 0 ? Number.POSITIVE_INFINITY : limit, used: used + reserved },
    ]),
  );
}

/** With admin's role only. -1 is no limit. */
export async function setNetworkQuotas(
  cloud: Cloud,
  projectId: string,
  limits: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<void> {
  await cloud.send({
    service: 'network',
    method: 'PUT',
    path: path`/v2.0/quotas/${projectId}`,
    body: { quota: limits },
    doing: `set the network quotas of project ${projectId}`,
    signal,
  });
}
