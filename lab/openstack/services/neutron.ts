import { type Ini, renderIni, type Section } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, has, type Lab, PORTS } from '../lab.ts';
import { ovnRemote } from './ovn.ts';
import { configFile, database, login, messaging, oslo, schema } from './common.ts';

const UNLIMITED = -1;
const LIMITED = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'trunk',
] as const;
/** Seconds without a word after which an agent counts as dead: three of its reports. */
export const AGENT_REPORT_INTERVAL = 10;
const AGENT_DOWN_AFTER = 35;

export function neutronConfig(lab: Lab): string {
  return configFile(lab, 'neutron');
}

export function neutron(lab: Lab): Service {
  const config = neutronConfig(lab);
  return {
    files: { [config]: renderNeutron(lab) },
    items: [
      schema('neutron', ['neutron'], [['neutron-db-manage', '--config-file', config, 'upgrade', 'heads']]),
      {
        kind: 'process',
        name: 'neutron-server',
        after: ['neutron-schema', 'catalogue', 'rabbitmq', 'ovn-nb', 'ovn-sb'],
        argv: ['neutron-server', '--config-file', config],
        files: [config],
        port: PORTS.neutron,
        ready: { kind: 'http', url: endpoint(lab, 'neutron', '/') },
      },
    ],
  };
}

function renderNeutron(lab: Lab): string {
  const { options } = lab;
  const quotas: Section = Object.fromEntries(LIMITED.map((name) => [`quota_${name}`, UNLIMITED]));
  const isOvn = options.network === 'ovn';
  const tunnel = isOvn ? 'geneve' : 'vxlan';
  // Of service chains OVN has no driver.
  const own = isOvn ? ['ovn-router'] : ['router', 'flow_classifier', 'sfc'];
  // Which bandwidth a host has left is kept by Placement, for ports that are promised some.
  const accounts = !isOvn && has(lab, 'placement') ? ['placement'] : [];
  const plugins = [...own, ...accounts, 'trunk', 'qos', 'port_forwarding'];
  return renderIni({
    DEFAULT: {
      ...messaging(lab, 'neutron'),
      bind_host: options.address,
      bind_port: PORTS.neutron,
      core_plugin: 'ml2',
      service_plugins: plugins.join(','),
      api_paste_config: '/etc/neutron/api-paste.ini',
      auth_strategy: 'keystone',
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 0,
      allow_overlapping_ips: true,
      vlan_transparent: false,
      global_physnet_mtu: 1500,
      dhcp_agent_notification: has(lab, 'routing') && !isOvn,
      max_allowed_address_pair: 200,
      agent_down_time: AGENT_DOWN_AFTER,
      notify_nova_on_port_status_changes: has(lab, 'nova'),
      notify_nova_on_port_data_changes: has(lab, 'nova'),
    },
    database: database(lab, 'neutron'),
    keystone_authtoken: login(lab, 'neutron'),
    nova: login(lab, 'nova'),
    placement: login(lab, 'placement'),
    quotas: { default_quota: UNLIMITED, ...quotas },
    ml2: {
      type_drivers: `flat,vlan,${tunnel},local`,
      tenant_network_types: `${tunnel},vlan`,
      mechanism_drivers: isOvn ? 'ovn' : 'openvswitch',
      extension_drivers: 'port_security,qos,tag_ports_during_bulk_creation',
    },
    ml2_type_flat: { flat_networks: '*' },
    ml2_type_vlan: { network_vlan_ranges: 'physnet1:2:4000' },
    [`ml2_type_${tunnel}`]: { vni_ranges: '1:100000', max_header_size: isOvn ? 38 : undefined },
    securitygroup: { enable_security_group: true, firewall_driver: options.firewall },
    ...(isOvn ? ovnSections(lab) : { sfc: { drivers: 'ovs' }, flowclassifier: { drivers: 'ovs' } }),
    privsep: { helper_command: 'privsep-helper' },
    agent: { root_helper: '' },
    ...oslo(lab, { notify: true }),
  });
}

function ovnSections(lab: Lab): Ini {
  return {
    ovn: {
      ovn_nb_connection: ovnRemote(lab, 'northbound'),
      ovn_sb_connection: ovnRemote(lab, 'southbound'),
      ovn_metadata_enabled: false,
      enable_distributed_floating_ip: true,
      // Data may come from a seed, while the databases of OVN begin empty.
      neutron_sync_mode: 'repair',
    },
    ovs: { ovsdb_connection: `tcp:${lab.options.address}:${PORTS.ovsdb}` },
  };
}
