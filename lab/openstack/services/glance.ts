import { join } from 'node:path';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, type Lab, PORTS } from '../lab.ts';
import { configFile, database, folders, login, oslo, schema } from './common.ts';

export function glance(lab: Lab): Service {
  const config = configFile(lab, 'glance');
  const data = join(lab.paths.var, 'glance');
  const stores = { images: join(data, 'images'), staging: join(data, 'staging'), work: join(data, 'work') };
  return {
    files: {
      [config]: renderIni({
        DEFAULT: {
          use_stderr: true,
          debug: lab.options.debug,
          bind_host: lab.options.address,
          bind_port: PORTS.glance,
          workers: 0,
          enabled_backends: 'file:file',
          node_staging_uri: `file://${stores.staging}`,
        },
        glance_store: { default_backend: 'file' },
        file: { filesystem_store_datadir: stores.images },
        os_glance_staging_store: { filesystem_store_datadir: stores.staging },
        os_glance_tasks_store: { filesystem_store_datadir: stores.work },
        paste_deploy: { flavor: 'keystone', config_file: '/etc/glance/glance-api-paste.ini' },
        database: database(lab, 'glance'),
        keystone_authtoken: login(lab, 'glance'),
        ...oslo(lab),
      }),
    },
    items: [
      folders('glance', ...Object.values(stores)),
      schema('glance', ['glance'], [['glance-manage', '--config-file', config, 'db_sync']]),
      {
        kind: 'process',
        name: 'glance',
        after: ['glance-schema', 'glance-folders', 'catalogue'],
        argv: ['glance-api', '--config-file', config],
        files: [config],
        port: PORTS.glance,
        ready: { kind: 'http', url: endpoint(lab, 'glance', '/') },
      },
    ],
  };
}
