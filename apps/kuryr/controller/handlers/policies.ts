import { canonicalJson } from '@superfluidity/core';
import type { Pod } from '@superfluidity/driver-kubernetes';
import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { POLICY_FINALIZER } from '../../api/network-policy.ts';
import { isOver, keyOf, nameIn, namespaceIn, ownerIn, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import { type PolicyView, resolvePolicy } from '../translate/policies.ts';
import { LIMITS } from '../limits.ts';
import type { Handler, World } from '../world.ts';

const NETWORKING = 'networking.k8s.io/v1';

/** A NetworkPolicy becomes a KuryrNetworkPolicy: its selectors resolved to the pods and addresses that there are. */
export class PolicyHandler implements Handler {
  readonly name = 'policies';
  readonly #world: World;

  /** `changed` is told of each policy that may have to be resolved anew. */
  constructor(world: World, changed: (key: string) => void) {
    this.#world = world;
    // Any policy may select, or name, any pod. They are few.
    const all = () => {
      for (const policy of world.policies.all()) changed(keyOf(policy));
    };
    world.pods.on((_key, before, now) => {
      if (world.policies.all().length > 0 && traitsOf(before) !== traitsOf(now)) all();
    });
    world.ports.informer.on((_key, before, now) => {
      if (world.policies.all().length === 0) return;
      const [was, is] = [before, now].map((port) => addressOf(world.ports.parse(port)));
      if (was !== is) all();
    });
    world.namespaces.on((_key, before, now) => {
      if (canonicalJson(before?.metadata.labels ?? {}) !== canonicalJson(now?.metadata.labels ?? {})) all();
    });
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { policies, rules, events } = this.#world;
    const policy = policies.get(key);
    const known = rules.informer.get(key);
    const isGoing = policy === undefined || policy.metadata.deletionTimestamp !== undefined;
    if (isGoing || (known !== undefined && ownerIn(known) !== policy.metadata.uid)) {
      if (known !== undefined && known.metadata.deletionTimestamp === undefined) await rules.delete(known, signal);
      return undefined;
    }
    const spec = resolvePolicy(policy, this.#view());
    if (known !== undefined) {
      const resolved = rules.get(key);
      if (resolved !== undefined && resolved.metadata.deletionTimestamp === undefined)
        await rules.write(resolved, { spec }, signal);
      return undefined;
    }
    const owner = subjectOf(NETWORKING, 'NetworkPolicy', policy);
    const wanted = { namespace: namespaceIn(key), name: nameIn(key), owner, finalizer: POLICY_FINALIZER, spec };
    const made = await rules.create(wanted, signal);
    if (made === undefined) return LIMITS.nameTakenMs;
    events.tell(owner, {
      reason: 'KuryrPolicyResolved',
      message: `it comes to ${spec.rules.length} rules for ${spec.pods.length} pods`,
    });
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const policy = this.#world.policies.get(key);
    return policy === undefined ? undefined : subjectOf(NETWORKING, 'NetworkPolicy', policy);
  }

  #view(): PolicyView {
    const { pods, ports, namespaces } = this.#world;
    return {
      pods: pods.all(),
      namespaces: new Map(namespaces.all().map((one) => [one.metadata.name, one])),
      // Known here before the kubelet tells it.
      addressOf: (pod) => addressOf(ports.parse(ports.informer.get(keyOf(pod)))) ?? pod.status?.podIP,
    };
  }
}

function addressOf(port: Pick<KuryrPort, 'status'> | undefined): string | undefined {
  return Object.values(port?.status?.interfaces ?? {})
    .find(({ isDefault }) => isDefault)
    ?.addresses[0]?.split('/')[0];
}

/** All that policies see of a pod. */
function traitsOf(pod: Pod | undefined): string {
  if (pod === undefined) return '';
  return canonicalJson([pod.metadata.uid, pod.metadata.labels ?? {}, isOver(pod), pod.status?.podIP]);
}
