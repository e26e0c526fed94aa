import { createHash } from 'node:crypto';
import { renderIni, type Section } from '../ini.ts';
import type { Service } from '../item.ts';
import { endpoint, type Lab, PORTS } from '../lab.ts';
import { configFile, database, databaseSocket, login, messaging, oslo, schema } from './common.ts';

export function heat(lab: Lab): Service {
  const { options } = lab;
  const config = configFile(lab, 'heat');
  const keystoneUrl = endpoint(lab, 'keystone');
  return {
    files: {
      [config]: renderIni({
        DEFAULT: {
          ...messaging(lab, 'heat'),
          region_name_for_services: options.region,
          num_engine_workers: 1,
          deferred_auth_method: 'trusts',
          stack_user_domain_name: 'heat',
          stack_domain_admin: 'heat_domain_admin',
          stack_domain_admin_password: lab.password,
          auth_encryption_key: createHash('sha256').update(`heat ${lab.password}`).digest('hex').slice(0, 32),
          environment_dir: '/etc/heat/environment.d',
          template_dir: '/etc/heat/templates',
          max_resources_per_stack: -1,
          max_stacks_per_tenant: -1,
          convergence_engine: true,
        },
        paste_deploy: { api_paste_config: '/etc/heat/api-paste.ini' },
        heat_api: { bind_host: options.address, bind_port: PORTS.heat, workers: 0 },
        clients_keystone: { auth_uri: keystoneUrl },
        ec2authtoken: { auth_uri: `${keystoneUrl}/v3` },
        database: database(lab, 'heat'),
        keystone_authtoken: login(lab, 'heat'),
        trustee: trustee(lab),
        ...oslo(lab, { notify: true }),
      }),
    },
    items: [
      schema('heat', ['heat'], [['heat-manage', '--config-file', config, 'db_sync']]),
      {
        kind: 'process',
        name: 'heat-engine',
        after: ['heat-schema', 'catalogue', 'rabbitmq'],
        argv: ['heat-engine', '--config-file', config],
        files: [config],
        ready: {
          kind: 'command',
          argv: [
            ...(['mariadb', '--socket', databaseSocket(lab), '--user=root', '--skip-column-names'] as const),
            '--execute',
            HAS_REPORTED,
          ],
          output: /^[1-9]/,
        },
      },
      {
        kind: 'process',
        name: 'heat-api',
        after: ['heat-schema', 'catalogue', 'rabbitmq'],
        argv: ['heat-api', '--config-file', config],
        files: [config],
        port: PORTS.heat,
        ready: { kind: 'http', url: endpoint(lab, 'heat', '/') },
      },
    ],
  };
}

const HAS_REPORTED =
  'select count(*) from heat.service where deleted_at is null' +
  ' and coalesce(updated_at, created_at) > utc_timestamp() - interval 60 second';

/** Who acts for the owner of a stack by trust: a project beside the trust would be one scope too many, and updates fail. */
function trustee(lab: Lab): Section {
  const { project_name: _, project_domain_name: __, ...rest } = login(lab, 'heat');
  return rest;
}
