import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../command.ts';
import type { Section } from '../ini.ts';
import type { LabProcess, Task } from '../item.ts';
import { endpoint, type Lab, PORTS } from '../lab.ts';

/** Sections and items that most services share. */

export function configFile(lab: Lab, service: string, name = `${service}.conf`): string {
  return join(lab.paths.etc, service, name);
}

export function brokerUrl(lab: Lab): string {
  return `rabbit://openstack:${lab.password}@${lab.options.address}:${PORTS.rabbitmq}/`;
}

/** [DEFAULT] of every service that talks by messages. */
export function messaging(lab: Lab, service: string): Section {
  return {
    transport_url: brokerUrl(lab),
    use_stderr: true,
    debug: lab.options.debug,
    state_path: join(lab.paths.var, service),
    host: lab.options.host,
    rpc_response_timeout: 60,
  };
}

export function databaseSocket(lab: Lab): string {
  return join(lab.paths.run, 'mariadb.sock');
}

/** By a local socket: over loopback, what the kernel does for TCP is a sixth of Neutron's processor time. */
export function database(lab: Lab, name: string): Section {
  return {
    connection: `mysql+pymysql://${name}:${lab.password}@localhost/${name}?charset=utf8&unix_socket=${databaseSocket(lab)}`,
    max_pool_size: 10,
    max_overflow: 20,
  };
}

/** How a service logs in, be it to check tokens or to call another service. */
export function login(lab: Lab, user: string): Section {
  const url = endpoint(lab, 'keystone', '/v3');
  return {
    auth_type: 'password',
    auth_url: url,
    www_authenticate_uri: url,
    username: user,
    password: lab.password,
    project_name: 'service',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
    region_name: lab.options.region,
    memcached_servers: `${lab.options.address}:${PORTS.memcached}`,
    // A revoked token is refused this many seconds later at most.
    token_cache_time: 60,
    service_token_roles_required: false,
  };
}

export function oslo(lab: Lab, options: { readonly notify?: boolean } = {}): Record<string, Section> {
  return {
    oslo_concurrency: { lock_path: join(lab.paths.run, 'lock') },
    oslo_messaging_notifications: options.notify
      ? { driver: 'messagingv2', topics: 'notifications' }
      : { driver: 'noop' },
    oslo_messaging_rabbit: { heartbeat_in_pthread: false },
    oslo_middleware: { enable_proxy_headers_parsing: true },
  };
}

/** Python code of a WSGI application behind uwsgi. */
export function uwsgi(
  lab: Lab,
  service: keyof typeof PORTS,
  options: {
    readonly name?: string;
    readonly script: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
    readonly after: readonly string[];
    readonly files: readonly string[];
  },
): LabProcess {
  const { name = service, script, env = {}, args = [], after, files } = options;
  return {
    kind: 'process',
    name,
    after,
    argv: [
      'uwsgi',
      '--plugins',
      'python3',
      '--http-socket',
      `${lab.options.address}:${PORTS[service]}`,
      '--wsgi-file',
      script,
      '--master',
      '--processes',
      '1',
      '--threads',
      '8',
      '--enable-threads',
      '--lazy-apps',
      '--need-app',
      '--buffer-size',
      '65535',
      '--die-on-term',
      '--no-orphans',
      '--listen',
      '100',
      '--disable-logging',
      // It closes every connection; clients that are not told run into resets.
      '--add-header',
      'Connection: close',
      ...args,
    ],
    env: { ...env },
    files,
    port: PORTS[service],
    ready: { kind: 'http', url: endpoint(lab, service, '/') },
  };
}

/** Folders that programs expect to be there. */
export function folders(service: string, ...paths: readonly string[]): Task {
  return {
    kind: 'task',
    name: `${service}-folders`,
    after: [],
    once: false,
    run: async () => {
      for (const path of paths) mkdirSync(path, { recursive: true, mode: 0o700 });
    },
  };
}

export function sql(lab: Lab, statements: string): Promise<string> {
  return run(['mariadb', '--socket', databaseSocket(lab), '--user=root', '--skip-column-names', '--batch'], {
    input: statements,
  });
}

/** A database and a user of the same name, for each. */
export function createDatabases(...names: readonly string[]): (lab: Lab) => Promise<void> {
  return async (lab) => {
    const statements = names.map(
      (name) =>
        `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb3;` +
        `GRANT ALL ON ${name}.* TO '${name}'@'%' IDENTIFIED BY '${lab.password}';`,
    );
    await sql(lab, statements.join('\n'));
  };
}

/** On a machine that others keep busy a migration takes minutes. */
const MIGRATION_TIMEOUT_MS = 600_000;

/** The tables of a service, by its own program. */
export function schema(
  name: string,
  databases: readonly string[],
  commands: readonly (readonly [string, ...string[]])[],
): Task {
  return {
    kind: 'task',
    name: `${name}-schema`,
    after: ['mariadb'],
    once: true,
    run: async (lab) => {
      await createDatabases(...databases)(lab);
      for (const argv of commands) await run(argv, { timeoutMs: MIGRATION_TIMEOUT_MS });
    },
  };
}
