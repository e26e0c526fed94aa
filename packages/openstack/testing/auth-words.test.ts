import { describe, expect, test } from 'vitest';
import { cloudFromYaml } from '../clouds-yaml.ts';
import type { Credentials } from '../credentials.ts';
import { authWords } from './auth-words.ts';

const byName = { name: 'demo', domain: { name: 'Default' } } as const;

describe('credentials in the words of clouds.yaml', () => {
  const all: Readonly<Record<string, Credentials>> = {
    'a password, by ids': { kind: 'password', user: { id: 'u' }, password: 'p', project: { id: 'x' } },
    'a password, by names': {
      kind: 'password',
      user: byName,
      password: 'p',
      project: { name: 'x', domain: { id: 'default' } },
    },
    'an application credential, by id': { kind: 'application', id: 'a', secret: 's' },
    'an application credential, by name': { kind: 'application', name: 'a', user: byName, secret: 's' },
  };
  test.each(Object.entries(all))('are read as %s again', (_, credentials) => {
    const authUrl = 'http://127.0.0.1:5000/v3';
    const clouds = JSON.stringify({ clouds: { lab: { auth: authWords({ authUrl, credentials }) } } });
    expect(cloudFromYaml({ clouds }, 'lab').config).toEqual({ authUrl, credentials });
  });
});
