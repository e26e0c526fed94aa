import { extensions } from '@superfluidity/openstack';
import {
  authWords,
  labCloud,
  laboratory,
  OPERATOR,
  type OwnProject,
  ownProject,
} from '@superfluidity/openstack/testing';

/** Projects of the laboratory in which these tests work. */

const lab = laboratory();
export const skip = lab === undefined ? 'no OpenStack laboratory runs here' : undefined;

/** The name of a test, with why it is skipped. */
export const title = (name: string) => (skip === undefined ? name : `${name} (${skip})`);

/** Whether the laboratory's Neutron has an extension: that with OVN has no `sfc`. */
export async function hasExtension(name: string): Promise<boolean> {
  if (lab === undefined) return false;
  const cloud = labCloud(lab);
  try {
    return (await extensions(cloud, AbortSignal.timeout(60_000))).has(name);
  } finally {
    await cloud.close();
  }
}

export interface OwnCloud {
  readonly project: OwnProject;
  /** Of the configuration of a site. */
  readonly auth: Readonly<Record<string, string>>;
}

/** A project of one test, as a tenant sees it, or an operator: with the role `admin`. */
export async function ownCloud(name: string, role: 'member' | 'admin'): Promise<OwnCloud> {
  const project = await (role === 'admin' ? ownProject(lab!, name, OPERATOR) : ownProject(lab!, name));
  return { project, auth: authWords(project.config) };
}
