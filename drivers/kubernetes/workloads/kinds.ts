/** Objects that a unit may be. Each has one pod at a time. */
export const workloadNames = ['pod', 'deployment', 'stateful-set', 'job', 'deployment-config'] as const;
export type WorkloadName = (typeof workloadNames)[number];

export interface WorkloadKind {
  /** In the names of the API. */
  readonly kind: string;
  readonly group?: string;
  readonly resource: string;
  /** Its controller makes another pod when one is gone, and the kubelet starts its programs again. */
  readonly replaces: boolean;
  /** Its work ends, and that is no fault. */
  readonly ends: boolean;
}

export const workloadKinds: Readonly<Record<WorkloadName, WorkloadKind>> = {
  pod: { kind: 'Pod', resource: 'pods', replaces: false, ends: false },
  deployment: { kind: 'Deployment', group: 'apps/v1', resource: 'deployments', replaces: true, ends: false },
  'stateful-set': { kind: 'StatefulSet', group: 'apps/v1', resource: 'statefulsets', replaces: true, ends: false },
  job: { kind: 'Job', group: 'batch/v1', resource: 'jobs', replaces: false, ends: true },
  'deployment-config': {
    kind: 'DeploymentConfig',
    group: 'apps.openshift.io/v1',
    resource: 'deploymentconfigs',
    replaces: true,
    ends: false,
  },
};

/** Those whose pods are made by controllers. */
export const controlledNames = workloadNames.filter((name) => name !== 'pod');

/** Rules of a site of what its units are. */
export interface WorkloadRules {
  readonly default: WorkloadName;
  readonly units: Readonly<Record<string, WorkloadName>>;
}

export function workloadOf(rules: WorkloadRules, path: string): WorkloadName {
  return rules.units[path] ?? rules.default;
}

/** Controlled kinds that units of the site may be. */
export function controlledIn(rules: WorkloadRules): readonly WorkloadName[] {
  const named = new Set([rules.default, ...Object.values(rules.units)]);
  return controlledNames.filter((name) => named.has(name));
}
