const bookkeeping = 'says who made it, when and for whom';
const placement = 'where it is realised, and how';
const names = 'names and leases, not packets';
const derived = 'follows from other attributes';

/** Of every kind of object. */
const everywhere: Readonly<Record<string, string>> = {
  tenant_id: bookkeeping,
  project_id: bookkeeping,
  description: bookkeeping,
  created_at: bookkeeping,
  updated_at: bookkeeping,
  revision_number: bookkeeping,
  tags: bookkeeping,
  standard_attr_id: bookkeeping,
  shared: 'who may use it',
  status: 'what the agents report: what was asked for is looked at',
  availability_zones: placement,
  availability_zone_hints: placement,
  dns_domain: names,
  dns_name: names,
};

const byKind: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  network: {
    subnets: derived,
    port_security_enabled: 'the default for new ports',
    ipv4_address_scope: 'which prefixes may be announced',
    ipv6_address_scope: 'which prefixes may be announced',
    l2_adjacency: derived,
    is_default: 'the default for new routers',
    qos_policy_id: 'rates are not looked at',
    vlan_qinq: placement,
  },
  subnet: {
    allocation_pools: 'from where addresses are given out',
    dns_nameservers: names,
    dns_publish_fixed_ip: names,
    enable_dhcp: names,
    ip_version: derived,
    ipv6_address_mode: 'how hosts get their addresses',
    ipv6_ra_mode: 'how hosts get their addresses',
    segment_id: placement,
    service_types: 'from where addresses are given out',
    subnetpool_id: 'from where addresses are given out',
    router_external: derived,
  },
  router: {
    distributed: placement,
    ha: placement,
    flavor_id: placement,
    enable_ndp_proxy: 'no neighbours are asked',
    service_type_id: placement,
  },
  external_gateway_info: {
    external_fixed_ips: 'those of the port of the gateway are taken',
    qos_policy_id: 'rates are not looked at',
  },
  port: {
    dns_assignment: names,
    extra_dhcp_opts: names,
    ip_allocation: 'how it got its addresses',
    propagate_uplink_status: 'the state of a network card',
    qos_policy_id: 'rates are not looked at',
    qos_network_policy_id: 'rates are not looked at',
    resource_request: placement,
    numa_affinity_policy: placement,
    hints: placement,
    hardware_offload_type: placement,
  },
  'security group': { shared: 'who may use it' },
  'security group rule': {
    id: bookkeeping,
    security_group_id: derived,
    normalized_cidr: derived,
    belongs_to_default_sg: derived,
  },
  'floating IP': {
    fixed_ip_address_family: derived,
    port_details: derived,
    qos_policy_id: 'rates are not looked at',
  },
  'sub-port': { mac_address: derived },
  trunk: { id: bookkeeping, name: bookkeeping },
  trunk_details: { trunk_id: bookkeeping },
  'port forwarding': { id: bookkeeping, internal_port_id: derived },
  'firewall policy': { audited: bookkeeping, public: 'who may use it' },
  'firewall rule': {
    position: 'the policy has the order',
    firewall_policy_id: derived,
    public: 'who may use it',
  },
  'firewall group': { public: 'who may use it' },
};

/** Why an attribute says nothing about packets; undefined when nobody knows what it says. */
export function withoutEffect(kind: string, key: string): string | undefined {
  if (key.startsWith('provider:') || key.startsWith('binding:')) return placement;
  return byKind[kind]?.[key] ?? everywhere[key];
}
