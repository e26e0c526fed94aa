import type { CloudConfig, Named } from '../credentials.ts';

/** The words of clouds.yaml, and of the `auth` of a site, for these credentials. */
export function authWords({ authUrl, credentials }: CloudConfig): Readonly<Record<string, string>> {
  if (credentials.kind === 'application') {
    const { kind: _, secret, ...which } = credentials;
    const said = 'id' in which ? { id: which.id } : { name: which.name };
    const user = 'id' in which ? {} : named('user', which.user);
    return { auth_url: authUrl, ...prefixed('application_credential_', { ...said, secret }), ...user };
  }
  const { user, password, project } = credentials;
  return { auth_url: authUrl, ...named('user', user), password, ...named('project', project) };
}

function named(what: 'user' | 'project', who: Named): Readonly<Record<string, string>> {
  if ('id' in who) return { [`${what}_id`]: who.id };
  const name = what === 'user' ? 'username' : 'project_name';
  return { [name]: who.name, ...prefixed(`${what}_domain_`, who.domain) };
}

const prefixed = (prefix: string, fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}${name}`, value]));
