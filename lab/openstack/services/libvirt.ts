import { join } from 'node:path';
import type { LabProcess, Service } from '../item.ts';
import type { Lab } from '../lab.ts';
import { folders } from './common.ts';
import { ovsEnvironment } from './ovs.ts';

export function libvirtUri(lab: Lab): string {
  return `qemu+unix:///system?socket=${join(lab.paths.run, 'libvirt/libvirt-sock')}`;
}

/**
 * libvirt of this laboratory alone. It knows its folders from when it was built; in a mount namespace of its own these
 * are folders of the laboratory, and whatever the machine runs is not touched.
 */
export function libvirtd(lab: Lab): Service {
  const { paths } = lab;
  const etc = join(paths.etc, 'libvirt');
  const places = { [join(paths.run, 'libvirt')]: '/run/libvirt', [join(paths.var, 'libvirt')]: '/var/lib/libvirt' };
  const libvirtdConf = join(etc, 'libvirtd.conf');
  const qemuConf = join(etc, 'qemu.conf');
  const virtlogdConf = join(etc, 'virtlogd.conf');
  const mounts = [...Object.entries(places), [etc, '/etc/libvirt'] as const];
  const script = [
    ...mounts.map(([from, to]) => `mkdir -p ${to} && mount --bind '${from}' ${to}`),
    // The name of the program is the argument of the script.
    'exec "$0"',
  ].join(' && ');
  const program = (name: string, after: readonly string[]): LabProcess => ({
    kind: 'process',
    name,
    after,
    argv: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, name],
    // It calls ovs-vsctl.
    env: ovsEnvironment(lab),
    files: [libvirtdConf, qemuConf],
    ready: { kind: 'started' },
  });
  return {
    files: {
      [libvirtdConf]: ['auth_unix_rw = "none"', 'unix_sock_rw_perms = "0700"', 'log_outputs = "3:stderr"', ''].join(
        '\n',
      ),
      [virtlogdConf]: 'log_outputs = "3:stderr"\n',
      [qemuConf]: [
        // The folders of the laboratory are for root alone.
        'user = "root"',
        'group = "root"',
        'dynamic_ownership = 0',
        'remember_owner = 0',
        'security_driver = "none"',
        'namespaces = []',
        'cgroup_controllers = []',
        '',
      ].join('\n'),
    },
    items: [
      folders('libvirt', ...Object.keys(places)),
      program('virtlogd', ['libvirt-folders']),
      {
        ...program('libvirtd', ['virtlogd', 'ovsdb']),
        ready: { kind: 'command', argv: ['virsh', '--connect', libvirtUri(lab), 'version'] },
      },
    ],
  };
}
