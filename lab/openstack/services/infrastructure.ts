import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../command.ts';
import type { Service } from '../item.ts';
import { type Lab, ownPort, PORTS } from '../lab.ts';
import { databaseSocket, folders } from './common.ts';

/** Sessions of nobody: how long one waits for a consumer. */
const NOTIFICATIONS_MAX = 2000;
const STORE_PATIENCE_MS = 30_000;
const EPMD_PORT = 4369;
const DISTRIBUTION_PORT = 25_672;

/** What all services stand on: database, message queue, cache. */
export function infrastructure(lab: Lab): Service {
  const { paths, options } = lab;
  const { address } = options;
  const data = join(paths.var, 'mysql');
  const socket = databaseSocket(lab);
  const rabbit = {
    conf: join(paths.etc, 'rabbitmq/rabbitmq.conf'),
    definitions: join(paths.etc, 'rabbitmq/definitions.json'),
    plugins: join(paths.etc, 'rabbitmq/enabled_plugins'),
    home: join(paths.var, 'rabbitmq/home'),
  };
  const epmdPort = ownPort(lab, EPMD_PORT);
  return {
    files: {
      [rabbit.conf]: [
        `listeners.tcp.1 = ${address}:${PORTS.rabbitmq}`,
        `load_definitions = ${rabbit.definitions}`,
        'vm_memory_high_watermark.absolute = 1GB',
        'disk_free_limit.absolute = 100MB',
        'log.console = false',
        '',
      ].join('\n'),
      [rabbit.definitions]: rabbitDefinitions(lab.password),
      [rabbit.plugins]: '[].\n',
    },
    items: [
      {
        kind: 'task',
        name: 'mariadb-data',
        after: [],
        once: true,
        run: async () => {
          mkdirSync(data, { recursive: true, mode: 0o700 });
          await run([
            'mariadb-install-db',
            '--no-defaults',
            '--user=root',
            `--datadir=${data}`,
            '--auth-root-authentication-method=socket',
            '--skip-test-db',
          ]);
        },
      },
      {
        kind: 'process',
        name: 'mariadb',
        after: ['mariadb-data'],
        // Without waiting for the disk: fast, and lost with the power.
        argv: [
          'mariadbd',
          '--no-defaults',
          '--user=root',
          `--datadir=${data}`,
          `--socket=${socket}`,
          `--pid-file=${join(paths.run, 'mariadbd.pid')}`,
          `--bind-address=${address}`,
          `--port=${PORTS.mariadb}`,
          '--skip-log-bin',
          '--max-connections=1000',
          '--character-set-server=utf8mb3',
          '--skip-name-resolve',
          '--innodb-flush-method=nosync',
          '--innodb-flush-log-at-trx-commit=0',
          '--innodb-doublewrite=0',
          '--innodb-buffer-pool-size=256M',
          '--innodb-log-file-size=48M',
          '--performance-schema=0',
        ],
        port: PORTS.mariadb,
        ready: { kind: 'command', argv: ['mariadb', '--socket', socket, '--user=root', '--execute', 'select 1'] },
        patienceMs: STORE_PATIENCE_MS,
      },
      {
        kind: 'process',
        name: 'memcached',
        after: [],
        argv: ['memcached', '-u', 'root', '-l', address, '-p', String(PORTS.memcached), '-m', '64', '-U', '0'],
        port: PORTS.memcached,
        ready: { kind: 'started' },
      },
      {
        // Else the broker starts one that outlives it.
        kind: 'process',
        name: 'epmd',
        after: [],
        argv: ['epmd', '-address', address, '-port', String(epmdPort)],
        env: { ERL_EPMD_RELAXED_COMMAND_CHECK: '1' },
        port: epmdPort,
        ready: { kind: 'command', argv: ['epmd', '-port', String(epmdPort), '-names'] },
      },
      folders('rabbitmq', rabbit.home),
      {
        kind: 'process',
        name: 'rabbitmq',
        after: ['epmd', 'rabbitmq-folders'],
        argv: ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
        files: [rabbit.conf, rabbit.definitions],
        env: {
          HOME: rabbit.home,
          ERL_EPMD_ADDRESS: address,
          ERL_EPMD_PORT: String(epmdPort),
          RABBITMQ_NODENAME: 'lab@localhost',
          RABBITMQ_CONFIG_FILE: rabbit.conf,
          RABBITMQ_CONF_ENV_FILE: '/dev/null',
          RABBITMQ_MNESIA_BASE: join(paths.var, 'rabbitmq/mnesia'),
          RABBITMQ_LOG_BASE: join(paths.log, 'rabbitmq'),
          RABBITMQ_ENABLED_PLUGINS_FILE: rabbit.plugins,
          RABBITMQ_PID_FILE: join(paths.run, 'rabbitmq.pid'),
          RABBITMQ_DIST_PORT: String(ownPort(lab, DISTRIBUTION_PORT)),
          // A broker that waits without turning in circles.
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
            '+sbwt none +sbwtdcpu none +sbwtdio none',
            `-kernel inet_dist_use_interface {${address.replaceAll('.', ',')}}`,
          ].join(' '),
        },
        port: PORTS.rabbitmq,
        ready: { kind: 'amqp', host: address, port: PORTS.rabbitmq },
        patienceMs: STORE_PATIENCE_MS,
      },
    ],
  };
}

/** One user, and a bound for queues of notifications, which fill up while nobody listens. */
function rabbitDefinitions(password: string): string {
  // The salt need not be secret, and the file should be the same every time.
  const salt = createHash('sha256').update(`salt of ${password}`).digest().subarray(0, 4);
  const digest = createHash('sha256').update(salt).update(password).digest();
  const definitions = {
    users: [
      {
        name: 'openstack',
        password_hash: Buffer.concat([salt, digest]).toString('base64'),
        hashing_algorithm: 'rabbit_password_hashing_sha256',
        tags: 'administrator',
      },
    ],
    vhosts: [{ name: '/' }],
    permissions: [{ user: 'openstack', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
    policies: [
      {
        vhost: '/',
        name: 'notifications',
        pattern: '^(versioned_)?notifications\\.',
        'apply-to': 'queues',
        definition: { 'max-length': NOTIFICATIONS_MAX },
      },
    ],
  };
  return `${JSON.stringify(definitions, undefined, 2)}\n`;
}
