import { join } from 'node:path';
import { type Ini, renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, has, type Lab, PORTS } from '../lab.ts';
import { registerBareMetal } from '../register-bare-metal.ts';
import { configFile, database, folders, login, messaging, oslo, schema } from './common.ts';
import { ironicComputeFiles, ironicComputeItems } from './nova-ironic.ts';

/**
 * Ironic with machines that are not there: every interface of its fake hardware says yes. With Nova, servers are made on
 * them as on others: only no program runs there.
 */
export function ironic(lab: Lab): Service {
  const config = configFile(lab, 'ironic');
  const fake = (kinds: readonly string[]): Ini[string] =>
    Object.fromEntries(
      kinds.flatMap((kind) => [`enabled_${kind}_interfaces`, `default_${kind}_interface`].map((key) => [key, 'fake'])),
    );
  return {
    files: {
      [config]: renderIni({
        DEFAULT: {
          ...messaging(lab, 'ironic'),
          auth_strategy: 'keystone',
          enabled_hardware_types: 'fake-hardware',
          ...fake(['boot', 'deploy', 'management', 'power']),
          enabled_network_interfaces: 'noop',
          default_network_interface: 'noop',
          host_ip: lab.options.address,
          my_ip: lab.options.address,
        },
        api: { host_ip: lab.options.address, port: PORTS.ironic, api_workers: 1 },
        conductor: { workers_pool_size: 16, sync_power_state_interval: 0, automated_clean: false },
        database: database(lab, 'ironic'),
        keystone_authtoken: login(lab, 'ironic'),
        ...Object.fromEntries(
          ['service_catalog', 'glance', 'neutron', 'nova', 'swift', 'inspector'].map((name) => [
            name,
            login(lab, 'ironic'),
          ]),
        ),
        pxe: { tftp_root: join(lab.paths.var, 'ironic/tftp'), images_path: join(lab.paths.var, 'ironic/images') },
        ...oslo(lab),
      }),
      ...(has(lab, 'nova') ? ironicComputeFiles(lab) : {}),
    },
    items: [
      folders('ironic', join(lab.paths.var, 'ironic/tftp'), join(lab.paths.var, 'ironic/images')),
      schema('ironic', ['ironic'], [['ironic-dbsync', '--config-file', config, 'upgrade']]),
      {
        kind: 'process',
        name: 'ironic-conductor',
        after: ['ironic-schema', 'ironic-folders', 'catalogue', 'rabbitmq'],
        argv: ['ironic-conductor', '--config-file', config],
        files: [config],
        ready: { kind: 'started' },
      },
      {
        kind: 'process',
        name: 'ironic-api',
        after: ['ironic-schema', 'catalogue', 'rabbitmq'],
        argv: ['ironic-api', '--config-file', config],
        files: [config],
        port: PORTS.ironic,
        ready: { kind: 'http', url: endpoint(lab, 'ironic', '/') },
      },
      {
        kind: 'task',
        name: 'bare-metal',
        after: ['ironic-api', 'ironic-conductor'],
        once: true,
        run: registerBareMetal,
      },
      ...(has(lab, 'nova') ? ironicComputeItems(lab) : []),
    ],
  };
}
