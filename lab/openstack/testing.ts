import { endpoint, type Lab, savedLab } from './lab.ts';
import { has } from './lab.ts';
import type { LabOptions, ServiceName } from './options.ts';
import { statusOf } from './status.ts';

/** For tests that talk to the laboratory. */

export interface LabNeeds {
  readonly services?: readonly ServiceName[];
  readonly network?: LabOptions['network'];
  readonly compute?: LabOptions['compute'];
  readonly firewall?: LabOptions['firewall'];
}

/** The laboratory when it runs and is as wanted, or why not: tests are skipped with that in their title. */
export type LabFound =
  | { readonly lab: Lab; readonly reason?: undefined }
  | { readonly lab?: undefined; readonly reason: string };

export function findLab(needs: LabNeeds = {}): LabFound {
  const lab = savedLab();
  const missing = (what: string) => ({ reason: `needs the laboratory${what}: npm run test:openstack` });
  if (lab === undefined || !statusOf(lab.paths).up) return missing('');
  for (const service of needs.services ?? []) if (!has(lab, service)) return missing(` with ${service}`);
  for (const option of ['network', 'compute', 'firewall'] as const)
    if (needs[option] !== undefined && lab.options[option] !== needs[option])
      return missing(` with --${option} ${needs[option]}`);
  return { lab };
}

export interface LabLogin {
  readonly authUrl: string;
  readonly user: string;
  readonly project: string;
  readonly password: string;
  readonly region: string;
}

export function labLogin(lab: Lab, user: 'admin' | 'demo' = 'admin'): LabLogin {
  const { password, options } = lab;
  return { authUrl: endpoint(lab, 'keystone', '/v3'), user, project: user, password, region: options.region };
}
