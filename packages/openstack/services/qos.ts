import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { NeutronCollection } from './neutron-collection.ts';

/** Quality of service of Neutron (extension `qos`): policies with rules, attached to ports, networks, floating IPs. */

const policy = z.object({
  id: z.string(),
  name: z.string(),
  project_id: z.string(),
  rules: z.array(z.looseObject({ id: z.string(), type: z.string() })),
  tags: z.array(z.string()).default([]),
});
export type QosPolicy = z.infer<typeof policy>;

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

/** Deleted only when nothing uses it (409 `QosPolicyInUse`). */
export const qosPolicies = new NeutronCollection<QosPolicy, { readonly name: string }>(
  'policy',
  'policies',
  '/v2.0/qos/policies',
  policy,
);

/** A second rule of a kind and direction is refused (409 `QoSRulesConflict`). */
export async function addQosRule(cloud: Cloud, policyId: string, rule: QosRule, signal: AbortSignal): Promise<void> {
  const { kind, ...fields } = rule;
  await cloud.send({
    service: 'network',
    method: 'POST',
    path: path`/v2.0/qos/policies/${policyId}/${`${kind}_rules`}`,
    body: { [`${kind}_rule`]: fields },
    doing: `add a ${kind.replaceAll('_', ' ')} rule to QoS policy ${policyId}`,
    signal,
  });
}

const ruleTypes = z.object({ rule_types: z.array(z.object({ type: z.string() })) });

/** What the back ends of this cloud can enforce. */
export async function listQosRuleTypes(cloud: Cloud, signal: AbortSignal): Promise<readonly string[]> {
  const doing = 'list QoS rule types';
  const call = { service: 'network', method: 'GET', path: '/v2.0/qos/rule-types', doing, signal } as const;
  return (await cloud.json(call, ruleTypes)).rule_types.map(({ type }) => type);
}
