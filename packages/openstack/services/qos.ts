import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';

/** Quality of service of Neutron (extension `qos`): policies with rules, attached to ports, networks, floating IPs. */

/** One rule for each kind and direction. Kilobits are decimal. */
export type QosRule =
  | {
      readonly kind: 'bandwidth_limit';
      readonly direction: 'egress' | 'ingress';
      readonly max_kbps: number;
      readonly max_burst_kbps?: number;
    }
  | { readonly kind: 'dscp_marking'; readonly dscp_mark: number }
  | { readonly kind: 'minimum_bandwidth'; readonly direction: 'egress' | 'ingress'; readonly min_kbps: number };

const policy = z.object({
  id: z.string(),
  name: z.string(),
  project_id: z.string(),
  rules: z.array(z.looseObject({ id: z.string(), type: z.string() })),
  tags: z.array(z.string()).default([]),
});
export type QosPolicy = z.infer<typeof policy>;

const POLICIES = '/v2.0/qos/policies';

export async function createQosPolicy(cloud: Cloud, name: string, signal: AbortSignal): Promise<QosPolicy> {
  const call = { service: 'network', method: 'POST', path: POLICIES, body: { policy: { name } } } as const;
  return (await cloud.json({ ...call, doing: `create QoS policy ${name}`, signal }, z.object({ policy }))).policy;
}

export async function listQosPolicies(
  cloud: Cloud,
  filter: { readonly name?: string; readonly tags?: string },
  signal: AbortSignal,
): Promise<readonly QosPolicy[]> {
  const call = {
    service: 'network',
    method: 'GET',
    path: POLICIES,
    query: filter,
    doing: 'list QoS policies',
  } as const;
  return (await cloud.json({ ...call, signal }, z.object({ policies: z.array(policy) }))).policies;
}

/** Refused while something uses it (409 `QosPolicyInUse`). */
export async function deleteQosPolicy(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'network', method: 'DELETE', path: `${POLICIES}${path`/${id}`}` } as const;
  await cloud.send({ ...call, doing: `delete QoS policy ${id}`, signal });
}

/** A second rule of a kind and direction is refused (409 `QoSRulesConflict`). */
export async function addQosRule(cloud: Cloud, policyId: string, rule: QosRule, signal: AbortSignal): Promise<void> {
  const { kind, ...fields } = rule;
  const call = {
    service: 'network',
    method: 'POST',
    path: `${POLICIES}${path`/${policyId}/${`${kind}_rules`}`}`,
    body: { [`${kind}_rule`]: fields },
  } as const;
  await cloud.send({ ...call, doing: `add a ${kind.replaceAll('_', ' ')} rule to QoS policy ${policyId}`, signal });
}

/** What the back ends of this cloud can enforce. */
export async function listQosRuleTypes(cloud: Cloud, signal: AbortSignal): Promise<readonly string[]> {
  const call = {
    service: 'network',
    method: 'GET',
    path: '/v2.0/qos/rule-types',
    doing: 'list QoS rule types',
  } as const;
  const answer = await cloud.json(
    { ...call, signal },
    z.object({ rule_types: z.array(z.object({ type: z.string() })) }),
  );
  return answer.rule_types.map(({ type }) => type);
}
