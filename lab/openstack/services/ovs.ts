import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../command.ts';
import type { Service } from '../item.ts';
import { has, type Lab, PORTS } from '../lab.ts';
import { databaseSocket } from './common.ts';

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

/** Open vSwitch in user space, and who plugs ports into it. What programs it: ./ovs-agent.ts or ./ovn.ts. */
export function ovs(lab: Lab): Service {
  const { paths, options } = lab;
  const data = join(paths.var, 'ovs/conf.db');
  const rundir = join(paths.run, 'ovs');
  const env = ovsEnvironment(lab);
  const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const quiet = ['-vfile:off', '-vsyslog:off'];
  return {
    files: {},
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
        name: 'plug',
        after: ['ovsdb', 'neutron-schema'],
        argv: [
          process.execPath,
          program('../plug.ts'),
          '--socket',
          databaseSocket(lab),
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
