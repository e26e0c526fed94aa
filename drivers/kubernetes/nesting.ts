import { SuperfluidityError } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { LABELS, labelValue } from './marks.ts';
import type { Node } from './objects.ts';
import type { World } from './world.ts';

/** `vduParent` of a unit that shall run on bare metal (seed B2.1). */
const BARE_METAL = 'none';
const PREFERENCE = 100;

/** Kuryr connects pods of such a node by the port of the machine that it is. */
const NESTED_VIFS = ['nested-vlan', 'nested-macvlan'];

/** What a node that is a virtual machine says of itself: whose it is, or how Kuryr connects its pods. */
export function isMachine({ metadata: { labels = {} } }: Pick<Node, 'metadata'>): boolean {
  return labels[LABELS.parent] !== undefined || NESTED_VIFS.includes(labels[LABELS.vif] ?? '');
}

const ofParent = (operator: 'Exists' | 'DoesNotExist') => ({ key: LABELS.parent, operator });
const ofVif = (operator: 'In' | 'NotIn') => ({ key: LABELS.vif, operator, values: NESTED_VIFS });

/** Where the pod of the unit may be beside its host, each of these alone being enough. */
function machineTerms({ nested }: UnitSpec['execution']): readonly object[] {
  const { parent, parentMandatory } = nested ?? {};
  if (parent === BARE_METAL) return [{ matchExpressions: [ofParent('DoesNotExist'), ofVif('NotIn')] }];
  if (parent !== undefined || parentMandatory !== true) return [{}];
  return [{ matchExpressions: [ofParent('Exists')] }, { matchExpressions: [ofVif('In')] }];
}

/**
 * Where the pod of a unit may be: its host; and where it is nested in a virtual machine that is a node, on a node that is that
 * machine, by the labels that such nodes have, or on any that is one.
 */
export function nodeRulesOf(world: World, spec: UnitSpec): Readonly<Record<string, unknown>> {
  const { parent, parentMandatory } = spec.execution.nested ?? {};
  // The scheduler is asked all the same: it knows what fits, what is tainted, and says why not.
  const onHost = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [spec.host] }] };
  const nodeSelectorTerms = machineTerms(spec.execution).map((term) => ({ ...onHost, ...term }));
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  if (parent === undefined || parent === BARE_METAL) return { affinity: { nodeAffinity: required } };
  const labels = parentLabels(world, parent);
  if (parentMandatory === true) return { nodeSelector: labels, affinity: { nodeAffinity: required } };
  const matchExpressions = Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  const preferred = [{ weight: PREFERENCE, preference: { matchExpressions } }];
  return { affinity: { nodeAffinity: { ...required, preferredDuringSchedulingIgnoredDuringExecution: preferred } } };
}

/** Refuses a host that is not what the unit has to be nested in. */
export async function checkParent(world: World, spec: UnitSpec, doing: string, signal: AbortSignal): Promise<void> {
  const { parent, parentMandatory } = spec.execution.nested ?? {};
  if (parent !== BARE_METAL && parentMandatory !== true) return;
  const node = await world.cluster.get<Node>(`/api/v1/nodes/${spec.host}`, signal);
  const labels = node?.metadata.labels ?? {};
  const refuse = (reason: string): never => {
    throw new SuperfluidityError('SF-KUBE-PARENT', { doing, reason, data: { host: spec.host, parent: parent ?? '' } });
  };
  const isNested = node !== undefined && isMachine(node);
  if (parent === BARE_METAL) {
    const machine = labels[LABELS.parent];
    if (isNested)
      refuse(
        `it has to run on bare metal, and node ${spec.host} is ${machine === undefined ? 'a virtual machine' : `the virtual machine ${machine}`}`,
      );
    return;
  }
  if (parent === undefined) {
    if (!isNested)
      refuse(
        `it has to run in a virtual machine, and node ${spec.host} has neither ${LABELS.parent} nor ${LABELS.vif}=${NESTED_VIFS.join('|')}`,
      );
    return;
  }
  const missing = Object.entries(parentLabels(world, parent)).filter(([key, value]) => labels[key] !== value);
  if (missing.length === 0) return;
  const wanted = missing.map(([key, value]) => `${key}=${value}`).join(', ');
  refuse(`it is nested in ${parent}, and node ${spec.host} is none of its virtual machines: it has no ${wanted}`);
}

function parentLabels({ config }: World, parent: string): Readonly<Record<string, string>> {
  return config.parents[parent] ?? { [LABELS.parent]: labelValue(parent) };
}
