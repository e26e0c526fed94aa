import { SuperfluidityError } from '@superfluidity/core';
import { parseIpv4 } from '@superfluidity/model';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import { LIMITS } from '../limits.ts';
import { type EndpointSlice, keyOf, type Service } from '../../kubernetes/objects.ts';
import '../errors.ts';

type Spec = KuryrLoadBalancer['spec'];
type Port = Spec['ports'][number];

/** Who balances it, where that is not the cluster's own. */
const PROXY_LABEL = 'service.kubernetes.io/service-proxy-name';
const TYPES = ['ClusterIP', 'LoadBalancer'] as const;
/** On a Service, in ms: how long clients, or members, may say nothing. */
export const CLIENT_TIMEOUT_ANNOTATION = 'superfluidity.dev/timeout-client-data';
export const MEMBER_TIMEOUT_ANNOTATION = 'superfluidity.dev/timeout-member-data';
/** Of Octavia: a day. */
const TIMEOUT_MOST_MS = 86_400_000;
/** Seconds; of Kubernetes. */
const AFFINITY_S = 10_800;

/**
 * What a Service wants balanced, with those of its endpoints that are ready. Undefined for what is left to others: Services
 * without an address of IPv4 (headless ones), of other types, or with a proxy of their own. Throws `SF-KURYR-SERVICE`,
 * `SF-KURYR-ANNOTATION`.
 */
export function balancerSpecOf(service: Service, slices: readonly EndpointSlice[], project: string): Spec | undefined {
  const { metadata, spec } = service;
  const type = TYPES.find((one) => one === (spec.type ?? 'ClusterIP'));
  const address = spec.clusterIP ?? '';
  if (type === undefined || parseIpv4(address) === undefined) return undefined;
  if (metadata.labels?.[PROXY_LABEL] !== undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const ports = (spec.ports ?? []).map(({ name = '', protocol = 'TCP', port }): Port => {
    const members = membersOf(slices, name, protocol);
    if (members.length > LIMITS.members)
      throw refused(
        service,
        `port ${port} has ${members.length} endpoints, of which ${LIMITS.members} can be balanced`,
      );
    return { name, protocol, port, members };
  });
  if (ports.length > LIMITS.servicePorts) throw refused(service, `it has more than ${LIMITS.servicePorts} ports`);
  // Of another class, its external address is somebody else's to give.
  const isOurs = type === 'LoadBalancer' && spec.loadBalancerClass === undefined;
  const external = isOurs ? spec.loadBalancerIP : undefined;
  if (external !== undefined && external !== '' && parseIpv4(external) === undefined)
    throw refused(service, 'its loadBalancerIP is no address of IPv4');
  const [clientMs, memberMs] = [CLIENT_TIMEOUT_ANNOTATION, MEMBER_TIMEOUT_ANNOTATION].map((one) =>
    timeout(service, one),
  );
  const timeouts = { ...(clientMs === undefined ? {} : { clientMs }), ...(memberMs === undefined ? {} : { memberMs }) };
  return {
    address,
    type: isOurs ? 'LoadBalancer' : 'ClusterIP',
    project,
    ...(external === undefined || external === '' ? {} : { externalAddress: external }),
    ...(spec.sessionAffinity === 'ClientIP'
      ? { affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_S }
      : {}),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ports,
  };
}

function timeout(service: Service, annotation: string): number | undefined {
  const text = service.metadata.annotations?.[annotation];
  if (text === undefined) return undefined;
  if (/^\d{1,8}$/.test(text) && Number(text) <= TIMEOUT_MOST_MS) return Number(text);
  throw new SuperfluidityError('SF-KURYR-ANNOTATION', {
    doing: `balance service ${keyOf(service)}`,
    reason: `its annotation ${annotation} is no number of milliseconds up to ${TIMEOUT_MOST_MS}`,
  });
}

function membersOf(slices: readonly EndpointSlice[], name: string, protocol: string): Port['members'] {
  const found = new Map<string, Port['members'][number]>();
  for (const { addressType, endpoints, ports, metadata } of slices) {
    if (addressType !== 'IPv4') continue;
    const own = (ports ?? []).filter((one) => (one.name ?? '') === name && (one.protocol ?? 'TCP') === protocol);
    for (const { port } of own) {
      // Without a number, the whole range: nothing to balance to.
      if (port === undefined || port === null) continue;
      for (const { addresses, conditions, targetRef } of endpoints ?? []) {
        const [address] = addresses;
        // Nothing said counts as ready (EndpointConditions of discovery.k8s.io/v1).
        if (address === undefined || conditions?.ready === false || parseIpv4(address) === undefined) continue;
        const pod =
          targetRef?.kind === 'Pod' ? `${targetRef.namespace ?? metadata.namespace}/${targetRef.name}` : undefined;
        // One that moves from slice to slice is in both for a moment.
        found.set(`${address}:${port}`, { address, port, ...(pod === undefined ? {} : { pod }) });
      }
    }
  }
  const order = ({ address, port }: Port['members'][number]) => parseIpv4(address)! * 65_536 + port;
  return [...found.values()].toSorted((one, other) => order(one) - order(other));
}

function refused(service: Service, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-KURYR-SERVICE', { doing: `balance service ${keyOf(service)}`, reason });
}
