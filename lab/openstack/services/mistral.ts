import { renderIni } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, type Lab, PORTS } from '../lab.ts';
import { configFile, database, login, messaging, oslo, schema } from './common.ts';

export function mistral(lab: Lab): Service {
  const config = configFile(lab, 'mistral');
  const manage = ['mistral-db-manage', '--config-file', config] as const;
  const keystoneUrl = endpoint(lab, 'keystone', '/v3');
  return {
    files: {
      [config]: renderIni({
        DEFAULT: messaging(lab, 'mistral'),
        api: { host: lab.options.address, port: PORTS.mistral, api_workers: 1 },
        pecan: { auth_enable: true },
        keystone: { auth_url: keystoneUrl },
        cron_trigger: { enabled: true },
        database: database(lab, 'mistral'),
        keystone_authtoken: { ...login(lab, 'mistral'), auth_uri: keystoneUrl },
        ...oslo(lab),
      }),
    },
    items: [
      schema(
        'mistral',
        ['mistral'],
        [
          [...manage, 'upgrade', 'head'],
          [...manage, 'populate'],
        ],
      ),
      {
        kind: 'process',
        name: 'mistral',
        after: ['mistral-schema', 'catalogue', 'rabbitmq'],
        argv: ['mistral-server', '--config-file', config, '--server', 'api,engine,executor'],
        files: [config],
        port: PORTS.mistral,
        ready: { kind: 'http', url: endpoint(lab, 'mistral', '/') },
      },
    ],
  };
}
