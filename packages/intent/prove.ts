import type { Service } from '@superfluidity/model';
import { checkPolicies, type PolicyVerdict } from './check.ts';
import { compareWithMeant, type Likeness } from './likeness.ts';
import { intentLimits } from './limits.ts';
import { intendedNetwork } from './network.ts';
import { pathReport } from './path-report.ts';
import type { Plane } from './plane.ts';
import { realisedNetwork } from './realised.ts';
import type { RealisedPlane } from './realised-plane.ts';
import { type LikenessReport, type PolicyReport, type VerificationReport, worstOf } from './report.ts';
import type { Subject } from './subject.ts';

/** The parts of a service that policies speak of. */
export type PolicyService = Pick<Service, 'block' | 'networks' | 'chains' | 'policies'>;

/** What is asked about: plain data, so that a thread can be asked. */
export type Planes =
  | { readonly intended: Plane }
  | {
      readonly realised: RealisedPlane;
      /** What was meant to be there, to be compared with it. */
      readonly meant?: Plane;
    };

export type ProofRequest = { readonly service: PolicyService; readonly milliseconds?: number } & Planes;

export const subjectOf = (planes: Planes): Subject =>
  'intended' in planes ? intendedNetwork(planes.intended) : realisedNetwork(planes.realised);

/** Holds every policy of a service against its data plane, and what is there against what was meant. */
export function prove(request: ProofRequest): VerificationReport {
  const began = performance.now();
  const { service, milliseconds = intentLimits.milliseconds } = request;
  const subject = subjectOf(request);
  const verdicts = checkPolicies(subject, service, milliseconds);
  const policies = verdicts.map(policyReport);
  const meant = 'realised' in request ? request.meant : undefined;
  const likeness = meant === undefined ? undefined : compareWithMeant(meant, intendedNetwork(meant), subject);
  return {
    plane: 'intended' in request ? 'intended' : 'realised',
    answer: worstOf(policies.map(({ answer }) => answer)),
    policies,
    ...(likeness === undefined ? {} : { likeness: likenessReport(likeness) }),
    assumptions: subject.assumptions,
    tookMs: Math.round(performance.now() - began),
  };
}

function likenessReport({ answer, because, bound, dependsOn, differences, leftOut }: Likeness): LikenessReport {
  return {
    answer,
    because,
    ...(bound === undefined ? {} : { bound }),
    dependsOn,
    differences: differences.slice(0, intentLimits.differences).map((difference) => ({
      because: difference.because,
      meant: difference.meant.map(pathReport),
      there: difference.there.map(pathReport),
    })),
    leftOut,
  };
}

function policyReport({ policy, answer, because, bound, dependsOn, rules, paths }: PolicyVerdict): PolicyReport {
  return {
    policy,
    answer,
    because,
    ...(bound === undefined ? {} : { bound }),
    dependsOn,
    rules,
    // What holds for all packets has no path that shows it better than another.
    paths: answer === 'holds' ? [] : paths.slice(0, intentLimits.paths).map(pathReport),
  };
}
