import type { Policy, Service } from './block.ts';
import { checkName, type BlockIndex } from './check-blocks.ts';
import { modelLimits } from './errors.ts';
import type { Findings } from './findings.ts';
import { policyPlaces } from './policy-places.ts';

/** Names of policies, the places and chains that they speak of. What filters and formulas say is the reader's business. */
export function checkPolicies(service: Service, index: BlockIndex, findings: Findings): void {
  const { policies = [], networks } = service;
  if (policies.length > modelLimits.policies) {
    return findings.error('SF-MODEL-LIMIT', 'policies', `more than ${modelLimits.policies} policies`);
  }
  const places = new Set(policyPlaces(service));
  const names = new Set<string>();
  for (const [i, policy] of policies.entries()) {
    const at = `policies[${i}]`;
    checkName(policy.name, `${at}.name`, findings);
    if (names.has(policy.name)) {
      findings.error('SF-MODEL-DUPLICATE', `${at}.name`, `there is a policy '${policy.name}' already`);
    }
    names.add(policy.name);
    checkClaim(policy, at, service, places, findings);
  }
  if (policies.length === 0) return;
  for (const [i, { name }] of networks.entries()) {
    if (!index.has(name)) continue;
    findings.warn('SF-MODEL-DUPLICATE', `networks[${i}].name`, `in policies '${name}' is the function of that name`);
  }
}

function checkClaim(
  { claim }: Policy,
  at: string,
  { chains }: Service,
  places: ReadonlySet<string>,
  findings: Findings,
): void {
  const check = (field: string, names: readonly string[]) => {
    if (names.length === 0) findings.error('SF-MODEL-REFERENCE', `${at}.${claim.kind}.${field}`, 'names no place');
    names.forEach((name, i) => {
      if (places.has(name)) return;
      findings.missing(`${at}.${claim.kind}.${field}[${i}]`, 'function, unit or network', name, places);
    });
  };
  if (claim.kind === 'through') {
    const known = chains.map(({ name }) => name);
    if (!known.includes(claim.chain)) findings.missing(`${at}.through.chain`, 'chain', claim.chain, known);
    check('waypoints', claim.waypoints);
    if (claim.waypoints.length > modelLimits.waypoints) {
      findings.error('SF-MODEL-LIMIT', `${at}.through.waypoints`, `more than ${modelLimits.waypoints} waypoints`);
    }
    return;
  }
  check('from', claim.from);
  if (claim.kind !== 'check') check('to', claim.to);
}
