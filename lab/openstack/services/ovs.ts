import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../command.ts';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { has, type Lab, PORTS } from '../lab.ts';
import { AGENT_REPORT_INTERVAL, neutronConfig } from './neutron.ts';
import { configFile, oslo } from './common.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

export function ovsEnvironment(lab: Lab): Readonly<Record<string, string>> {
  return {
    OVS_RUNDIR: join(lab.paths.run, 'ovs'),
    OVS_LOGDIR: lab.paths.log,
    OVS_DBDIR: join(lab.paths.var, 'ovs'),
    OVS_SYSCONFDIR: lab.paths.etc,
  };
}

export function ovsSocket(lab: Lab): string {
  return `unix:${join(lab.paths.run, 'ovs/db.sock')}`;
}

/** Open vSwitch in user space, and the agent of Neutron that programs it. */
export function ovs(lab: Lab): Service {
  const { paths, options } = lab;
  const config = configFile(lab, 'neutron', 'openvswitch_agent.ini');
  const data = join(paths.var, 'ovs/conf.db');
  const rundir = join(paths.run, 'ovs');
  const env = ovsEnvironment(lab);
  const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const quiet = ['-vfile:off', '-vsyslog:off'];
  return {
    files: { [config]: renderAgent(lab) },
    items: [
      {
        kind: 'task',
        name: 'ovs-data',
        after: [],
        once: false,
        run: async () => {
          mkdirSync(rundir, { recursive: true, mode: 0o700 });
          mkdirSync(join(paths.var, 'ovs'), { recursive: true, mode: 0o700 });
          if (!existsSync(data)) await run(['ovsdb-tool', 'create', data, SCHEMA]);
        },
      },
      {
        kind: 'process',
        name: 'ovsdb',
        after: ['ovs-data'],
        argv: [
          'ovsdb-server',
          data,
          `--remote=punix:${join(rundir, 'db.sock')}`,
          `--remote=ptcp:${PORTS.ovsdb}:${options.address}`,
          `--unixctl=${join(rundir, 'ovsdb.ctl')}`,
          ...quiet,
        ],
        env,
        port: PORTS.ovsdb,
        ready: { kind: 'command', argv: ['ovs-vsctl', `--db=${ovsSocket(lab)}`, '--no-wait', '--timeout=2', 'init'] },
      },
      {
        kind: 'process',
        name: 'vswitchd',
        after: ['ovsdb'],
        argv: ['ovs-vswitchd', ovsSocket(lab), `--unixctl=${join(rundir, 'vswitchd.ctl')}`, ...quiet],
        env,
        ready: {
          kind: 'command',
          argv: [
            'ovs-vsctl',
            `--db=${ovsSocket(lab)}`,
            '--timeout=5',
            '--may-exist',
            'add-br',
            'br-phys',
            '--',
            'set',
            'bridge',
            'br-phys',
            'datapath_type=netdev',
          ],
        },
      },
      {
        kind: 'process',
        name: 'ovs-agent',
        after: ['vswitchd', 'neutron-server'],
        argv: [
          '/usr/bin/python3',
          program('../python/ovs_agent.py'),
          '--config-file',
          neutronConfig(lab),
          '--config-file',
          config,
        ],
        env,
        files: [neutronConfig(lab), config],
        port: PORTS.openflow,
        ready: {
          kind: 'command',
          argv: ['ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', `unix:${join(rundir, 'br-tun.mgmt')}`],
          output: /table=0/,
        },
      },
      {
        kind: 'process',
        name: 'plug',
        after: ['ovsdb', 'neutron-schema'],
        argv: [
          process.execPath,
          program('../plug.ts'),
          '--socket',
          join(paths.run, 'mariadb.sock'),
          '--ovsdb',
          ovsSocket(lab),
          '--host',
          options.host,
          ...(has(lab, 'nova') && options.compute === 'libvirt' ? ['--without-servers'] : []),
        ],
        ready: { kind: 'started' },
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
