import { join } from 'node:path';
import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import type { Lab } from '../lab.ts';
import { configFile, database, login, oslo, schema, uwsgi } from './common.ts';

export function placement(lab: Lab): Service {
  const config = configFile(lab, 'placement');
  return {
    files: {
      [config]: renderIni({
        DEFAULT: { use_stderr: true, debug: lab.options.debug },
        api: { auth_strategy: 'keystone' },
        placement_database: database(lab, 'placement'),
        keystone_authtoken: login(lab, 'placement'),
        ...oslo(lab),
      }),
    },
    items: [
      schema('placement', ['placement'], [['placement-manage', '--config-file', config, 'db', 'sync']]),
      uwsgi(lab, 'placement', {
        script: '/usr/bin/placement-api',
        env: { OS_PLACEMENT_CONFIG_DIR: join(lab.paths.etc, 'placement') },
        files: [config],
        after: ['placement-schema', 'catalogue'],
      }),
    ],
  };
}
