import { isSuperfluidityError } from '@superfluidity/core';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cloudFromYaml, listClouds } from './clouds-yaml.ts';
import { cloudFromEnvironment, readCloud } from './read-cloud.ts';

const clouds = `
clouds:
  lab:
    auth:
      auth_url: http://127.0.0.1:5000
      username: alice
      project_name: web
      user_domain_name: Default
      project_domain_id: default
    region_name: RegionOne
    interface: internalURL
    verify: false
    network_endpoint_override: http://127.0.0.1:1/net
  byId:
    auth: { auth_url: 'https://cloud.example/identity/v3/', user_id: u1, project_id: 12345, password: 777 }
    auth_type: v3password
    regions:
      - north
      - name: south
        values:
          auth: { auth_url: https://south.example/v3 }
  application:
    auth_type: v3applicationcredential
    auth: { auth_url: https://cloud.example/v3, application_credential_id: a1, application_credential_secret: s3cr3t }
  applicationByName:
    auth:
      auth_url: https://cloud.example/v3
      application_credential_name: robot
      application_credential_secret: s3cr3t
      username: alice
      domain_name: People
`;
const secure = 'clouds: { lab: { auth: { password: hidden } } }';

const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-OPENSTACK-CONFIG')) return error.details.reason;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('clouds.yaml', () => {
  it('is read with the passwords of secure.yaml', () => {
    expect(cloudFromYaml({ clouds, secure }, 'lab').config).toEqual({
      authUrl: 'http://127.0.0.1:5000/v3',
      credentials: {
        kind: 'password',
        user: { name: 'alice', domain: { name: 'Default' } },
        password: 'hidden',
        project: { name: 'web', domain: { id: 'default' } },
      },
      region: 'RegionOne',
      interface: 'internal',
      verify: false,
      endpoints: { network: 'http://127.0.0.1:1/net' },
    });
  });

  it('has regions with values of their own, of which one must be named', () => {
    expect(listClouds({ clouds })).toContainEqual({ name: 'byId', regions: ['north', 'south'] });
    expect(refused(() => cloudFromYaml({ clouds }, 'byId'))).toBe('name one of its regions: north, south');
    expect(refused(() => cloudFromYaml({ clouds }, 'byId', 'west'))).toBe('it has no region west, but north, south');
    expect(cloudFromYaml({ clouds }, 'byId', 'south').config).toEqual({
      authUrl: 'https://south.example/v3',
      credentials: { kind: 'password', user: { id: 'u1' }, password: '777', project: { id: '12345' } },
      region: 'south',
    });
    expect(cloudFromYaml({ clouds }, 'byId', 'north').config.authUrl).toBe('https://cloud.example/identity/v3');
  });

  it('has application credentials by id and by name', () => {
    expect(cloudFromYaml({ clouds }, 'application').config.credentials).toEqual({
      kind: 'application',
      id: 'a1',
      secret: 's3cr3t',
    });
    expect(cloudFromYaml({ clouds }, 'applicationByName').config.credentials).toEqual({
      kind: 'application',
      name: 'robot',
      user: { name: 'alice', domain: { name: 'People' } },
      secret: 's3cr3t',
    });
  });

  it.each([
    ['a cloud that is not there', clouds, 'nowhere', /no such cloud, but application, applicationByName, byId, lab/],
    ['no password', clouds, 'lab', /no password/],
    ['an inherited name', 'clouds: {}', 'constructor', /has no clouds/],
    ['no YAML', 'clouds: {lab: {auth: {password: hunter2', 'lab', /not YAML/],
    ['version 2', 'clouds: {a: {auth: {auth_url: "http://x/v2.0"}}}', 'a', /version 2/],
    ['another protocol', 'clouds: {a: {auth: {auth_url: "ftp://x"}}}', 'a', /no http/],
    ['a password in the address', 'clouds: {a: {auth: {auth_url: "http://u:hunter2@x"}}}', 'a', /password in it/],
    [
      'another way to log in',
      'clouds: {a: {auth: {auth_url: "http://x"}, auth_type: v3oidcpassword}}',
      'a',
      /auth_type/,
    ],
    ['a profile', 'clouds: {a: {profile: big, auth: {auth_url: "http://x"}}}', 'a', /profiles/],
    ['a list', 'clouds: [a]', 'a', /clouds/],
    ['aliases without end', aliases(), 'a', /not YAML/],
  ])('refuses %s', (_, source, name, reason) => {
    const said = refused(() => cloudFromYaml({ clouds: source }, name));
    expect(said).toMatch(reason);
    expect(said).not.toContain('hunter2');
  });

  it('is refused, not failed at, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.object().map((auth) => JSON.stringify({ clouds: { a: auth } })),
        ),
        (source) => {
          expect(typeof refused(() => cloudFromYaml({ clouds: source }, 'a'))).toBe('string');
        },
      ),
    );
  });
});

describe('OS_* variables', () => {
  const env = {
    OS_AUTH_URL: 'http://127.0.0.1:5000/v3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: 'pw',
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
    OS_IDENTITY_API_VERSION: '3',
    OS_INSECURE: 'true',
  };

  it('describe a cloud', () => {
    expect(cloudFromEnvironment(env).config).toEqual({
      authUrl: 'http://127.0.0.1:5000/v3',
      credentials: {
        kind: 'password',
        user: { name: 'admin', domain: { name: 'Default' } },
        password: 'pw',
        project: { name: 'admin', domain: { id: 'default' } },
      },
      region: 'RegionOne',
      verify: false,
    });
  });

  it('say what is missing', () => {
    expect(refused(() => cloudFromEnvironment({ ...env, OS_PASSWORD: '' }))).toBe('there is no password');
  });
});

describe('the files of a machine', () => {
  it('are looked for where openstacksdk looks, with the authority beside them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clouds-'));
    try {
      writeFileSync(join(folder, 'clouds.yaml'), clouds.replace('verify: false', 'cacert: ca.pem'));
      writeFileSync(join(folder, 'secure.yml'), secure);
      writeFileSync(join(folder, 'ca.pem'), 'PEM');
      const where = { env: { OS_CLOUD: 'lab' }, workingFolder: folder, home: folder };
      expect(await readCloud({}, where)).toMatchObject({ caCert: 'PEM', credentials: { password: 'hidden' } });
      await expect(readCloud({}, { ...where, env: { OS_CLOUD: 'lab', OS_CLIENT_CONFIG_FILE: 'x' } })).rejects.toThrow(
        `there is none of ${join(folder, 'x')}`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Each line stands for ten of the line before. */
function aliases(): string {
  const lines = ['x0: &x0 [1, 2, 3]'];
  for (let n = 1; n < 12; n += 1)
    lines.push(
      `x${n}: &x${n} [${Array(10)
        .fill(`*x${n - 1}`)
        .join(', ')}]`,
    );
  return [...lines, 'clouds: {a: *x11}'].join('\n');
}
