import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { type Lab, PORTS } from '../lab.ts';
import { configFile, oslo } from './common.ts';
import { AGENT_REPORT_INTERVAL, neutronConfig } from './neutron.ts';
import { ovsEnvironment } from './ovs.ts';

/** The agent of ML2/Open vSwitch. */
export function ovsAgent(lab: Lab): Service {
  const config = configFile(lab, 'neutron', 'openvswitch_agent.ini');
  return {
    files: { [config]: renderAgent(lab) },
    items: [
      {
        kind: 'process',
        name: 'ovs-agent',
        after: ['vswitchd', 'neutron-server'],
        argv: [
          '/usr/bin/python3',
          fileURLToPath(new URL('../python/ovs_agent.py', import.meta.url)),
          '--config-file',
          neutronConfig(lab),
          '--config-file',
          config,
        ],
        env: ovsEnvironment(lab),
        files: [neutronConfig(lab), config],
        port: PORTS.openflow,
        ready: {
          kind: 'command',
          argv: ['ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', `unix:${join(lab.paths.run, 'ovs/br-tun.mgmt')}`],
          output: /table=0/,
        },
      },
    ],
  };
}

function renderAgent(lab: Lab): string {
  const { options } = lab;
  return renderIni({
    DEFAULT: {},
    ovs: {
      datapath_type: 'netdev',
      integration_bridge: 'br-int',
      tunnel_bridge: 'br-tun',
      bridge_mappings: 'physnet1:br-phys',
      // 10 Gbit/s in each direction, to be promised to ports.
      resource_provider_bandwidths: 'br-phys:10000000:10000000',
      local_ip: options.address,
      of_listen_address: options.address,
      of_listen_port: PORTS.openflow,
      ovsdb_connection: `tcp:${options.address}:${PORTS.ovsdb}`,
    },
    agent: {
      root_helper: '',
      tunnel_types: 'vxlan',
      extensions: 'qos,sfc',
      report_interval: AGENT_REPORT_INTERVAL,
    },
    securitygroup: { firewall_driver: options.firewall, enable_security_group: options.firewall !== 'noop' },
    privsep: { helper_command: 'privsep-helper' },
    oslo_concurrency: oslo(lab)['oslo_concurrency']!,
    oslo_messaging_notifications: { driver: 'noop' },
  });
}
