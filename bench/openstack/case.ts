import type { CloudConfig } from '@superfluidity/openstack';
import type { OwnProject } from '@superfluidity/openstack/testing';
import type { Found } from './report.ts';

export interface Surroundings {
  /** Admin of the laboratory. */
  readonly lab: CloudConfig;
  /** A project of this run, empty. What a case makes in it, it removes. */
  readonly project: OwnProject;
  /** Of each thing that is measured. */
  readonly rounds: number;
}

export type Case = (where: Surroundings, found: Found) => Promise<void>;
