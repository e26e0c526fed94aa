import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLOUDS, renderCloudsYaml } from '../credentials.ts';
import type { LabProcess } from '../item.ts';
import { has, type Lab } from '../lab.ts';
import { configFile } from './common.ts';
import { ovsSocket } from './ovs.ts';

const here = (path: string) => fileURLToPath(new URL(`../../../apps/octavia-agent/${path}`, import.meta.url));

/** Where Python finds the provider, and how Octavia is told of it: docs/guides/openstack.md. */
export const OWN_PROVIDER = {
  name: 'superfluidity:HAProxy behind ports of Neutron',
  python: here('provider'),
} as const;

export function ownProviderSocket(lab: Lab): string {
  return join(lab.paths.run, 'octavia-provider.sock');
}

const cloudsFile = (lab: Lab): string => configFile(lab, 'octavia', 'clouds.yaml');

/** How it logs in: it binds ports of others. */
export function agentFiles(lab: Lab): Readonly<Record<string, string>> {
  return has(lab, 'ovs') ? { [cloudsFile(lab)]: renderCloudsYaml(lab, undefined) } : {};
}

/** Its data plane; only where packets flow. */
export function octaviaAgent(
  lab: Lab,
  sockets: { readonly status: string; readonly stats: string },
): readonly LabProcess[] {
  if (!has(lab, 'ovs')) return [];
  const socket = ownProviderSocket(lab);
  const options = {
    folder: join(lab.paths.var, 'octavia-agent'),
    socket,
    'status-socket': sockets.status,
    'statistics-socket': sockets.stats,
    ovsdb: ovsSocket(lab),
    host: lab.options.host,
    cloud: CLOUDS.admin,
  };
  return [
    {
      kind: 'process',
      name: 'octavia-agent',
      after: ['octavia-driver-agent', 'ovsdb'],
      argv: [
        process.execPath,
        here('main.ts'),
        ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      ],
      env: { OS_CLIENT_CONFIG_FILE: cloudsFile(lab) },
      files: [cloudsFile(lab)],
      ready: { kind: 'command', argv: ['test', '-S', socket] },
    },
  ];
}
