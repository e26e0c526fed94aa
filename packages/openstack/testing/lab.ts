import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, type CloudConfig, type CloudOptions } from '../index.ts';

/**
 * For tests that need OpenStack: the cloud that OS_* variables name, else the laboratory's openrc. Undefined, with the
 * reason printed in the name of the test, when there is none.
 */
export function laboratory(): CloudConfig | undefined {
  const at = join(process.env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab', 'openstack/openrc');
  const variables = process.env['OS_AUTH_URL'] === undefined ? openrc(at) : process.env;
  const authUrl = variables['OS_AUTH_URL'];
  if (authUrl === undefined) return undefined;
  return {
    authUrl,
    credentials: {
      kind: 'password',
      user: named(variables['OS_USERNAME'], variables['OS_USER_DOMAIN_NAME']),
      password: variables['OS_PASSWORD'] ?? '',
      project: named(variables['OS_PROJECT_NAME'], variables['OS_PROJECT_DOMAIN_NAME']),
    },
    ...(variables['OS_REGION_NAME'] === undefined ? {} : { region: variables['OS_REGION_NAME'] }),
    endpoints: overrides(process.env),
  };
}

const named = (name = 'admin', domain = 'Default') => ({ name, domain: { name: domain } });

/** `OS_ORCHESTRATION_ENDPOINT_OVERRIDE`, as in openstacksdk: one service from elsewhere. */
function overrides(variables: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, url]) => {
      const type = /^OS_(.+)_ENDPOINT_OVERRIDE$/.exec(name)?.[1];
      return type === undefined || url === undefined ? [] : [[type.toLowerCase().replaceAll('_', '-'), url]];
    }),
  );
}

function openrc(file: string): Readonly<Record<string, string | undefined>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const found = /^\s*export\s+(OS_\w+)=(.*)$/.exec(line);
      return found === null ? [] : [[found[1]!, found[2]!.replace(/^(["'])(.*)\1$/, '$2')]];
    }),
  );
}

export function labCloud(config: CloudConfig, options: Partial<CloudOptions> & { readonly clock?: Clock } = {}): Cloud {
  return new Cloud({ config, clock: systemClock, log: silentLogger, ...options });
}
