import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { Node, Pod } from '@superfluidity/driver-kubernetes';
import { parseIpv4Prefix, prefixesOverlap } from '@superfluidity/model';
import '../errors.ts';
import { keyOf, namespaceIn } from '../../kubernetes/objects.ts';
import { NETWORKS_ANNOTATION, readAttachments, readDefinition } from '../translate/attachments.ts';
import type { World } from '../world.ts';
import type { Attachment, AttachmentDriver, PodSubnet, VifKind } from './types.ts';

/** Pods have one interface, whatever they ask for: somebody else may read it. */
export const noAttachments: AttachmentDriver = { kind: 'none', of: async () => [] };

export interface AnnotatedAttachmentsOptions {
  readonly world: Pick<World, 'definitions' | 'nodes'>;
  /** Whose definitions pods of all namespaces may name; those of their own they may in any case. */
  readonly shared: readonly string[];
  /** Of ports in a cloud: policies are about the network of the cluster alone. */
  readonly groups: readonly string[];
  /** How pods of a node are connected. */
  readonly kindOf: (node: Node) => VifKind;
  /** Absent: there is no cloud. */
  readonly cloudSubnet?: (id: string, signal: AbortSignal) => Promise<PodSubnet>;
  readonly linux?: { readonly cidr: string; readonly mtu: number };
}

/** What the annotation of the pod asks for, by NetworkAttachmentDefinitions that name our plugin. */
export function annotatedAttachments(options: AnnotatedAttachmentsOptions): AttachmentDriver {
  const { world, shared, groups, kindOf, cloudSubnet, linux } = options;
  return {
    kind: 'annotation',
    of: async (pod, node, signal) => {
      const text = pod.metadata.annotations?.[NETWORKS_ANNOTATION];
      if (text === undefined) return [];
      const own = namespaceIn(keyOf(pod));
      const kind = kindOf(node);
      const found: Attachment[] = [];
      for (const { namespace, name, interface: inside } of readAttachments(text, own)) {
        const key = `${namespace}/${name}`;
        const refuse = refusal(pod, key);
        if (namespace !== own && !shared.includes(namespace))
          throw refuse(`pods may name those of their own namespace, and of ${shared.join(', ') || 'no other'}`);
        const definition = world.definitions.get(key);
        if (definition === undefined) throw refuse('there is no NetworkAttachmentDefinition of that name');
        const network = readDefinition(key, definition.spec?.config);
        const isLinux = kind === 'linux';
        if (kind === 'nested-macvlan')
          throw refuse(`pods of node ${node.metadata.name} are in the network of its own port, and in no other`);
        if (isLinux !== (network.kind === 'linux'))
          throw refuse(
            `it is in ${network.kind === 'linux' ? 'the built-in fabric' : 'a cloud'}, and pods of node ${node.metadata.name} are not`,
          );
        const subnet =
          network.kind === 'linux'
            ? linuxNetworkOf(network.cidr, refuse)
            : await cloudSubnet!(network.subnet, signal).catch((error: unknown) => {
                if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND'))
                  throw refuse(`it names subnet ${network.subnet}, which is not there for the controller`, error);
                throw error;
              });
        found.push({ name: inside, network: key, subnet, groups });
      }
      return found;
    },
  };

  /** Nobody routes there: it has no gateway. */
  function linuxNetworkOf(cidr: string, refuse: Refusal): PodSubnet {
    const prefix = parseIpv4Prefix(cidr);
    if (prefix === undefined) throw refuse(`${cidr} is no prefix of IPv4`);
    const others =
      linux!.cidr === 'node' ? world.nodes.all().flatMap(({ spec }) => spec?.podCIDR ?? []) : [linux!.cidr];
    for (const other of others) {
      const its = parseIpv4Prefix(other);
      if (its !== undefined && prefixesOverlap(prefix, its))
        throw refuse(`${cidr} overlaps ${other}, from which pods have their addresses in any case`);
    }
    return { networkId: cidr, subnetId: cidr, cidr, mtu: linux!.mtu, routes: [] };
  }
}

type Refusal = (reason: string, cause?: unknown) => SuperfluidityError;

const refusal =
  (pod: Pod, key: string): Refusal =>
  (reason, cause) =>
    new SuperfluidityError('SF-KURYR-ATTACHMENT', {
      doing: `attach pod ${keyOf(pod)} to network ${key}`,
      reason,
      cause,
    });
