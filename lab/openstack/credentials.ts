import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from '../paths.ts';
import { endpoint, type Lab } from './lab.ts';
import { type ApplicationCredential, applicationCredentialPath } from './register.ts';

/** Entries of clouds.yaml: the operator, a tenant, and the tenant's program. */
export const CLOUDS = { admin: 'lab-admin', demo: 'lab-demo', application: 'lab-application' } as const;

export function writeCredentials(lab: Lab): void {
  const path = applicationCredentialPath(lab);
  const application = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ApplicationCredential) : undefined;
  writeFile(lab.paths.cloudsYaml, renderCloudsYaml(lab, application));
  writeFile(lab.paths.openrc, renderOpenrc(lab));
}

export function renderCloudsYaml(lab: Lab, application: ApplicationCredential | undefined): string {
  const url = endpoint(lab, 'keystone', '/v3');
  const tail = [`    region_name: ${lab.options.region}`, '    interface: public', '    identity_api_version: 3'];
  const withPassword = (user: string) => [
    '    auth:',
    `      auth_url: ${url}`,
    `      username: ${user}`,
    `      password: ${lab.password}`,
    `      project_name: ${user}`,
    '      user_domain_name: Default',
    '      project_domain_name: Default',
    ...tail,
  ];
  const lines = [
    'clouds:',
    `  ${CLOUDS.admin}:`,
    ...withPassword('admin'),
    `  ${CLOUDS.demo}:`,
    ...withPassword('demo'),
  ];
  if (application !== undefined) {
    lines.push(
      `  ${CLOUDS.application}:`,
      '    auth_type: v3applicationcredential',
      '    auth:',
      `      auth_url: ${url}`,
      `      application_credential_id: ${application.id}`,
      `      application_credential_secret: ${application.secret}`,
      ...tail,
    );
  }
  return `${lines.join('\n')}\n`;
}

export function renderOpenrc(lab: Lab): string {
  const values = {
    OS_IDENTITY_API_VERSION: '3',
    OS_AUTH_URL: endpoint(lab, 'keystone', '/v3'),
    OS_USERNAME: 'admin',
    OS_PASSWORD: lab.password,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: lab.options.region,
  };
  return Object.entries(values)
    .map(([name, value]) => `export ${name}=${value}\n`)
    .join('');
}
