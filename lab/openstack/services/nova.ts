import { join } from 'node:path';
import { run } from '../../command.ts';
import { type Ini, renderIni } from '../ini.ts';
import type { Item, LabProcess, Service } from '../item.ts';
import { endpoint, has, type Lab, PORTS } from '../lab.ts';
import { registerFlavours } from '../register.ts';
import { configFile, database, folders, login, messaging, oslo, schema, sql } from './common.ts';
import { metadataSecret } from './routing.ts';
import { libvirtd, libvirtUri } from './libvirt.ts';

const HOST_APPEARS_WITHIN_MS = 120_000;

export function nova(lab: Lab): Service {
  const config = configFile(lab, 'nova');
  const computeConfig = configFile(lab, 'nova', 'nova-compute.conf');
  const real = lab.options.compute === 'libvirt';
  const common = computeIni(lab);
  const program = (name: string, after: readonly string[]): LabProcess => ({
    kind: 'process',
    name,
    after,
    argv: [name, '--config-file', config],
    files: [config],
    ready: { kind: 'started' },
  });
  const virtualisation = real ? libvirtd(lab) : { files: {}, items: [] };
  return {
    files: {
      [config]: renderIni({
        ...common,
        database: database(lab, 'nova'),
        api_database: databaseOf(lab, 'nova_api'),
      }),
      // It must not know the databases.
      [computeConfig]: renderIni(common),
      ...virtualisation.files,
    },
    items: [
      {
        ...schema(
          'nova',
          [],
          [
            [...manage(lab), 'api_db', 'sync'],
            [...manage(lab), 'cell_v2', 'map_cell0'],
            [...manage(lab), 'cell_v2', 'create_cell', '--name=cell1'],
            [...manage(lab), 'db', 'sync'],
          ],
        ),
        after: ['nova-databases'],
      },
      {
        kind: 'task',
        name: 'nova-databases',
        after: ['mariadb'],
        once: true,
        run: async () => {
          const grants = ['nova', 'nova_api', 'nova_cell0'].map(
            (name) =>
              `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb3;` +
              `GRANT ALL ON ${name}.* TO 'nova'@'%' IDENTIFIED BY '${lab.password}';`,
          );
          await sql(lab, grants.join('\n'));
        },
      },
      program('nova-conductor', ['nova-schema', 'rabbitmq', 'catalogue']),
      program('nova-scheduler', ['nova-schema', 'rabbitmq', 'catalogue', 'placement']),
      {
        ...program('nova-api', ['nova-schema', 'rabbitmq', 'catalogue']),
        port: PORTS.nova,
        ready: { kind: 'http', url: endpoint(lab, 'nova', '/') },
      },
      ...virtualisation.items,
      folders('nova', join(lab.paths.var, 'nova/instances')),
      computeProcess('nova-compute', computeConfig, [
        'nova-conductor',
        'nova-folders',
        'placement',
        ...(real ? ['libvirtd'] : []),
      ]),
      hostKnown(lab, lab.options.host, 'nova-compute'),
      { kind: 'task', name: 'flavours', after: ['nova-api', 'glance'], once: true, run: registerFlavours },
    ],
  };
}

/** The package nova-compute would bring all of libvirt; its code is in python3-nova. */
export function computeProcess(name: string, config: string, after: readonly string[]): LabProcess {
  return {
    kind: 'process',
    name,
    after,
    argv: [
      '/usr/bin/python3',
      '-c',
      "import sys; sys.argv[0] = 'nova-compute'; from nova.cmd.compute import main; sys.exit(main())",
      '--config-file',
      config,
    ],
    files: [config],
    ready: { kind: 'started' },
  };
}

/** A compute host reports itself, and has to be mapped to its cell before servers can be put there. */
export function hostKnown(lab: Lab, host: string, process: string): Item {
  return {
    kind: 'task',
    name: `nova-host-${host}`,
    after: [process, 'nova-conductor'],
    once: true,
    run: async () => {
      const deadline = performance.now() + HOST_APPEARS_WITHIN_MS;
      const query = `select count(*) from nova.compute_nodes where host = '${host}' and deleted = 0`;
      while ((await sql(lab, query)).trim() === '0' && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 200));
      await run([...manage(lab), 'cell_v2', 'discover_hosts']);
    },
  };
}

function manage(lab: Lab): readonly [string, ...string[]] {
  return ['nova-manage', '--config-file', configFile(lab, 'nova')];
}

function databaseOf(lab: Lab, name: string): Ini[string] {
  const ofNova = database(lab, 'nova');
  return { ...ofNova, connection: String(ofNova['connection']).replace('/nova?', `/${name}?`) };
}

export function computeIni(lab: Lab): Ini {
  const { options, paths } = lab;
  const real = options.compute === 'libvirt';
  const helper = { helper_command: 'privsep-helper' };
  return {
    DEFAULT: {
      ...messaging(lab, 'nova'),
      my_ip: options.address,
      enabled_apis: has(lab, 'routing') ? 'osapi_compute,metadata' : 'osapi_compute',
      metadata_listen: options.address,
      metadata_listen_port: PORTS.metadata,
      metadata_workers: 1,
      osapi_compute_listen: options.address,
      osapi_compute_listen_port: PORTS.nova,
      osapi_compute_workers: 1,
      compute_driver: real ? 'libvirt.LibvirtDriver' : 'fake.FakeDriver',
      api_paste_config: '/etc/nova/api-paste.ini',
      // A server that waits for its ports would wait for the one who plugs them, which the fake driver does not do.
      vif_plugging_is_fatal: false,
      vif_plugging_timeout: 0,
      // Guests learn their addresses from a disk: they need neither DHCP nor a metadata service.
      force_config_drive: real,
      // Guests of the laboratory do not listen to the power button.
      shutdown_timeout: 2,
      instances_path: join(paths.var, 'nova/instances'),
    },
    api: { auth_strategy: 'keystone' },
    vnc: { enabled: false },
    spice: { enabled: false },
    libvirt: { virt_type: 'qemu', cpu_mode: 'none', connection_uri: libvirtUri(lab) },
    os_vif_ovs: { ovsdb_connection: `tcp:${options.address}:${PORTS.ovsdb}` },
    vif_plug_ovs_privileged: helper,
    nova_sys_admin: helper,
    conductor: { workers: 1 },
    scheduler: { workers: 1 },
    glance: { api_servers: endpoint(lab, 'glance') },
    filter_scheduler: { track_instance_changes: false },
    quota: { driver: 'nova.quota.NoopQuotaDriver' },
    privsep: helper,
    notifications: { notification_format: 'both', notify_on_state_change: 'vm_and_task_state' },
    keystone_authtoken: login(lab, 'nova'),
    placement: login(lab, 'placement'),
    neutron: {
      ...login(lab, 'neutron'),
      service_metadata_proxy: true,
      metadata_proxy_shared_secret: metadataSecret(lab),
    },
    service_user: { send_service_user_token: false, ...login(lab, 'nova') },
    ...oslo(lab, { notify: true }),
  };
}
