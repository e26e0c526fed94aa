import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabProcess } from '../item.ts';
import { endpoint, has, type Lab } from '../lab.ts';
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
      env: {
        OS_AUTH_URL: endpoint(lab, 'keystone', '/v3'),
        OS_USERNAME: 'admin',
        OS_PASSWORD: lab.password,
        OS_PROJECT_NAME: 'admin',
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PROJECT_DOMAIN_NAME: 'Default',
        OS_REGION_NAME: lab.options.region,
      },
      ready: { kind: 'command', argv: ['test', '-S', socket] },
    },
  ];
}
