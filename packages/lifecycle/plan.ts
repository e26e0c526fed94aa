import { createHash } from 'node:crypto';
import type { OperationKind, VerificationReport } from '@superfluidity/api';
import { canonicalJson } from '@superfluidity/core';
import type { PlannedStep } from './actions.ts';
import type { Grant } from './grant.ts';
import type { StoredPlan } from './operation-records.ts';

/** Where the descriptor lies on the disk makes no other plan of it. */
const FOLDER: ReadonlySet<string> = new Set(['baseFolder']);

/** A plan as it is kept. Its digest covers what would be done and where, so that two plans can be compared at a glance. */
export function storedPlan(
  kind: OperationKind,
  service: string,
  granted: Grant,
  steps: readonly PlannedStep[],
  verification?: VerificationReport,
): StoredPlan {
  const { assignments, chains, costPerHour } = granted;
  const content = {
    kind,
    assignments: assignments.map(({ unit, site, host }) => ({ unit, site, host })),
    steps: steps.map(({ id, dependsOn, action }) => ({ id, dependsOn, action })),
  };
  const digest = createHash('sha256').update(canonicalJson(content, FOLDER)).digest('hex').slice(0, 16);
  return {
    service,
    kind,
    assignments: [...assignments],
    chains: [...chains],
    costPerHour,
    steps,
    digest,
    ...(verification === undefined ? {} : { verification }),
  };
}

/** The last of all steps: what is there by then is held against the policies of the service. */
export function withVerification(
  steps: readonly PlannedStep[],
  service: string,
  mustHold: boolean,
): readonly PlannedStep[] {
  const before = new Set(steps.flatMap((step) => step.dependsOn));
  const step: PlannedStep = {
    id: 'verify-service',
    title: `verify the policies of ${service} on what its sites have`,
    dependsOn: steps.map(({ id }) => id).filter((id) => !before.has(id)),
    action: { verb: 'verify-service', service, mustHold },
  };
  return [...steps, step];
}
