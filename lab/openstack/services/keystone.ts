import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../command.ts';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, type Lab, PORTS } from '../lab.ts';
import { registerServices } from '../register.ts';
import { configFile, database, schema, uwsgi } from './common.ts';

/** The cheapest that it accepts: its default makes a login take 0.17 s. */
const HASH_ROUNDS = 4;

export function keystone(lab: Lab): Service {
  const { paths, options } = lab;
  const config = configFile(lab, 'keystone');
  const keys = join(paths.var, 'keystone');
  const manage = ['keystone-manage', '--config-file', config] as const;
  const url = endpoint(lab, 'keystone', '/v3');
  return {
    files: {
      [config]: renderIni({
        DEFAULT: { use_stderr: true, debug: options.debug },
        database: database(lab, 'keystone'),
        token: { provider: 'fernet', expiration: 86_400 },
        identity: { password_hash_rounds: HASH_ROUNDS },
        fernet_tokens: { key_repository: join(keys, 'fernet') },
        credential: { key_repository: join(keys, 'credential') },
        cache: {
          enabled: true,
          backend: 'dogpile.cache.memcached',
          memcache_servers: `${options.address}:${PORTS.memcached}`,
        },
        oslo_middleware: { enable_proxy_headers_parsing: true },
      }),
    },
    items: [
      schema('keystone', ['keystone'], [[...manage, 'db_sync']]),
      {
        kind: 'task',
        name: 'keystone-keys',
        after: [],
        once: true,
        run: async () => {
          mkdirSync(keys, { recursive: true, mode: 0o700 });
          for (const kind of ['fernet', 'credential'])
            if (!existsSync(join(keys, kind)))
              await run([...manage, `${kind}_setup`, '--keystone-user', 'root', '--keystone-group', 'root']);
        },
      },
      {
        kind: 'task',
        name: 'keystone-bootstrap',
        after: ['keystone-schema', 'keystone-keys'],
        once: true,
        run: async () => {
          const urls = ['admin', 'internal', 'public'].flatMap((kind) => [`--bootstrap-${kind}-url`, url]);
          await run([...manage, 'bootstrap', '--bootstrap-region-id', options.region, ...urls], {
            env: { OS_BOOTSTRAP_PASSWORD: lab.password },
          });
        },
      },
      uwsgi(lab, 'keystone', {
        script: '/usr/bin/keystone-wsgi-public',
        env: { OS_KEYSTONE_CONFIG_FILES: 'keystone.conf', OS_KEYSTONE_CONFIG_DIR: join(paths.etc, 'keystone') },
        files: [config],
        after: ['keystone-bootstrap', 'memcached'],
      }),
      {
        kind: 'task',
        name: 'catalogue',
        stamp: `catalogue-${options.services.join('-')}`,
        after: ['keystone'],
        once: true,
        run: registerServices,
      },
    ],
  };
}
