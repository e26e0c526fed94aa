import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../command.ts';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { writeFile } from '../../paths.ts';
import { has, type Lab, PORTS } from '../lab.ts';
import { agentFiles, octaviaAgent, OWN_PROVIDER, ownProviderSocket } from './octavia-agent.ts';
import { configFile, database, login, messaging, oslo, schema, uwsgi } from './common.ts';

/** Nothing is started there: the no-op drivers want to see that something is configured. */
const NOBODY = '00000000-0000-0000-0000-000000000001';
const OWN_PYTHON = fileURLToPath(new URL('../python', import.meta.url));

/** Sockets on which providers report states and statistics: docs/guides/laboratories.md. */
export function octaviaSocket(lab: Lab, kind: 'status' | 'stats' | 'get'): string {
  return join(lab.paths.run, `octavia-${kind}.sock`);
}

export function octavia(lab: Lab): Service {
  const { options, paths } = lab;
  const config = configFile(lab, 'octavia');
  const certificates = join(paths.var, 'octavia/certificates');
  // Where Python looks for the entry points of providers: those of the laboratory, and the user's.
  const env = { PYTHONPATH: [OWN_PYTHON, OWN_PROVIDER.python, ...options.pythonPath].join(':') };
  return {
    files: { [config]: renderOctavia(lab, certificates), ...agentFiles(lab) },
    items: [
      {
        kind: 'task',
        name: 'octavia-certificates',
        after: [],
        once: true,
        run: async () => {
          mkdirSync(certificates, { recursive: true, mode: 0o700 });
          const [key, ca] = [join(certificates, 'ca.key'), join(certificates, 'ca.pem')];
          if (existsSync(ca)) return;
          await run(
            [
              'openssl',
              'req',
              '-x509',
              '-newkey',
              'rsa:2048',
              '-days',
              '3650',
              '-subj',
              '/CN=lab',
              '-passout',
              'env:CA_PASSPHRASE',
              '-keyout',
              key,
              '-out',
              ca,
            ],
            { env: { CA_PASSPHRASE: lab.password } },
          );
          writeFile(join(certificates, 'client.pem'), readFileSync(key, 'utf8') + readFileSync(ca, 'utf8'));
        },
      },
      schema('octavia', ['octavia'], [['octavia-db-manage', '--config-file', config, 'upgrade', 'head']]),
      uwsgi(lab, 'octavia', {
        name: 'octavia-api',
        script: '/usr/bin/octavia-wsgi',
        env,
        args: ['--pyargv', `--config-file ${config}`],
        files: [config],
        after: ['octavia-schema', 'octavia-certificates', 'catalogue', 'rabbitmq'],
      }),
      {
        kind: 'process',
        name: 'octavia-worker',
        after: ['octavia-schema', 'octavia-certificates', 'catalogue', 'rabbitmq'],
        argv: ['octavia-worker', '--config-file', config],
        env,
        files: [config],
        ready: { kind: 'started' },
      },
      {
        kind: 'process',
        name: 'octavia-driver-agent',
        after: ['octavia-schema', 'catalogue'],
        argv: ['octavia-driver-agent', '--config-file', config],
        env,
        files: [config],
        ready: { kind: 'command', argv: ['test', '-S', octaviaSocket(lab, 'get')] },
      },
      ...octaviaAgent(lab, { status: octaviaSocket(lab, 'status'), stats: octaviaSocket(lab, 'stats') }),
    ],
  };
}

function renderOctavia(lab: Lab, certificates: string): string {
  const { options } = lab;
  const ca = join(certificates, 'ca.pem');
  const own = has(lab, 'ovs') ? [OWN_PROVIDER.name] : [];
  const providers = ['amphora:amphorae that balance nothing', ...own, ...options.providers];
  return renderIni({
    DEFAULT: { ...messaging(lab, 'octavia'), octavia_plugins: 'hot_plug_plugin' },
    api_settings: {
      bind_host: options.address,
      bind_port: PORTS.octavia,
      auth_strategy: 'keystone',
      enabled_provider_drivers: providers.join(','),
      default_provider_driver: 'amphora',
      allow_ping_health_monitors: true,
    },
    certificates: {
      cert_manager: 'local_cert_manager',
      cert_generator: 'local_cert_generator',
      ca_certificate: ca,
      ca_private_key: join(certificates, 'ca.key'),
      ca_private_key_passphrase: lab.password,
      server_certs_key_passphrase: 'insecure-key-do-not-use-this-key',
    },
    haproxy_amphora: { server_ca: ca, client_cert: join(certificates, 'client.pem') },
    controller_worker: {
      amphora_driver: 'amphora_noop_driver',
      compute_driver: 'compute_noop_driver',
      network_driver: 'lab',
      image_driver: 'image_noop_driver',
      distributor_driver: 'distributor_noop_driver',
      volume_driver: 'volume_noop_driver',
      client_ca: ca,
      amp_image_tag: 'amphora',
      amp_flavor_id: NOBODY,
      amp_boot_network_list: NOBODY,
      workers: 1,
      loadbalancer_topology: 'SINGLE',
    },
    health_manager: { heartbeat_key: 'insecure' },
    oslo_messaging: { topic: 'octavia_prov' },
    driver_agent: {
      status_socket_path: octaviaSocket(lab, 'status'),
      stats_socket_path: octaviaSocket(lab, 'stats'),
      get_socket_path: octaviaSocket(lab, 'get'),
    },
    superfluidity: { socket_path: ownProviderSocket(lab) },
    database: database(lab, 'octavia'),
    keystone_authtoken: login(lab, 'octavia'),
    service_auth: login(lab, 'octavia'),
    ...oslo(lab),
  });
}
