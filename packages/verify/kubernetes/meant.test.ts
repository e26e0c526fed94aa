import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagrams } from '../diagram/diagrams.ts';
import { ipv4 } from '../readers/netfilter/addresses.ts';
import { Connections, NUMBERS } from './connections.ts';
import { meaningOf } from './meant.ts';
import type { ClusterPod, ClusterState, LabelSelector, NetworkPolicy, PolicyPeer, Protocol } from './objects.ts';
import { ADDRESSES, clusters, PORTS } from './testing/clusters.ts';

interface Sent {
  readonly source: string;
  readonly destination: string;
  readonly protocol: Protocol;
  readonly port: number;
}

const numberOf = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const isIn = (address: string, cidr: string) => {
  const [base = '', length = ''] = cidr.split('/');
  if (base.includes(':')) return false;
  const size = 2 ** (32 - Number(length));
  return Math.floor(numberOf(base) / size) === Math.floor(numberOf(address) / size);
};

/** One packet, by the text of the API reference, with no sets and nothing resolved beforehand. */
function mayBegin(cluster: ClusterState, sent: Sent): boolean {
  if (sent.source === sent.destination) return true;
  const podAt = (address: string) =>
    cluster.pods.find((pod) => !pod.hostNetwork && !pod.isOver && pod.addresses.includes(address));
  const ends = { source: podAt(sent.source), destination: podAt(sent.destination) };
  const fits = (wanted: LabelSelector, labels: Readonly<Record<string, string>>) =>
    Object.entries(wanted.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (wanted.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isOneOf = value !== undefined && values.includes(value);
      return operator === 'In' ? isOneOf : !isOneOf;
    });
  const isPeer = (policy: NetworkPolicy, one: PolicyPeer, address: string, pod: ClusterPod | undefined) => {
    if (one.ipBlock !== undefined)
      return isIn(address, one.ipBlock.cidr) && !(one.ipBlock.except ?? []).some((cidr) => isIn(address, cidr));
    if (pod === undefined) return false;
    const isThere =
      one.namespaceSelector === undefined
        ? pod.namespace === policy.namespace
        : fits(one.namespaceSelector, { team: pod.namespace });
    return isThere && (one.podSelector === undefined || fits(one.podSelector, pod.labels));
  };
  const allows = (direction: 'ingress' | 'egress') => {
    const own = direction === 'ingress' ? ends.destination : ends.source;
    const [address, other] =
      direction === 'ingress' ? [sent.source, ends.source] : [sent.destination, ends.destination];
    if (own === undefined) return true;
    const isolating = cluster.policies.filter((policy) => {
      const types = policy.policyTypes ?? ['Ingress', ...((policy.egress ?? []).length > 0 ? ['Egress'] : [])];
      const isOfDirection = types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
      return isOfDirection && policy.namespace === own.namespace && fits(policy.podSelector, own.labels);
    });
    if (isolating.length === 0) return true;
    return isolating.some((policy) =>
      (policy[direction] ?? []).some(({ peers, ports }) => {
        const isFrom =
          peers === undefined || peers.length === 0 || peers.some((one) => isPeer(policy, one, address, other));
        const isTo =
          ports === undefined ||
          ports.length === 0 ||
          ports.some(({ protocol = 'TCP', port, endPort }) => {
            if (protocol !== sent.protocol) return false;
            if (port === undefined) return true;
            if (typeof port === 'number') return port <= sent.port && sent.port <= (endPort ?? port);
            return (ends.destination?.ports ?? []).some(
              (one) => one.name === port && one.protocol === protocol && one.number === sent.port,
            );
          });
        return isFrom && isTo;
      }),
    );
  };
  return allows('egress') && allows('ingress');
}

const everything: readonly Sent[] = ADDRESSES.flatMap((source) =>
  ADDRESSES.flatMap((destination) => PORTS.map(([protocol, port]) => ({ source, destination, protocol, port }))),
);

describe('what policies mean', () => {
  test('is what they say of each packet', () => {
    let [allowed, refused] = [0, 0];
    fc.assert(
      fc.property(clusters, (cluster) => {
        const space = new Connections(new Diagrams(1_000_000));
        const meaning = meaningOf(cluster, space);
        for (const sent of everything) {
          const one = {
            source: ipv4(sent.source)!,
            destination: ipv4(sent.destination)!,
            protocol: NUMBERS[sent.protocol],
            port: BigInt(sent.port),
            sourcePort: 50_000n,
          };
          const isOfPod = meaning.pods.has(one.source) || meaning.pods.has(one.destination);
          if (space.has(meaning.ofPods, one) !== isOfPod) throw new Error(`${sent.source} ${sent.destination}`);
          if (!isOfPod) continue;
          const isMeant = mayBegin(cluster, sent);
          if (isMeant) allowed += 1;
          else refused += 1;
          if (space.has(meaning.allowed, one) !== isMeant)
            throw new Error(
              `${JSON.stringify(sent)} is ${isMeant ? '' : 'not '}meant; ${meaning.because(one).join('; ')}`,
            );
        }
      }),
      { numRuns: 25 },
    );
    // It is no proof of anything when one of them never comes.
    expect([allowed > 1_000, refused > 1_000]).toEqual([true, true]);
  });

  test('a policy that says nothing isolates what comes in, and names the policy', () => {
    const space = new Connections(new Diagrams(100_000));
    const pod = (name: string, address: string): ClusterPod => ({
      namespace: 'red',
      name,
      labels: {},
      node: 'n1',
      addresses: [address],
      hostNetwork: false,
      isOver: false,
      ports: [],
    });
    const meaning = meaningOf(
      {
        pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')],
        namespaces: new Map([['red', {}]]),
        policies: [{ namespace: 'red', name: 'closed', podSelector: {} }],
        nodes: [{ name: 'n1', addresses: ['192.0.2.1'] }],
      },
      space,
    );
    const one = { source: 0x0a00_0001n, destination: 0x0a00_0002n, protocol: 6n, port: 80n, sourcePort: 1_024n };
    expect(space.has(meaning.allowed, one)).toBe(false);
    expect(meaning.because(one)).toEqual([
      'egress of red/a: no policy isolates it',
      'ingress of red/b: no rule of red/closed allows it',
    ]);
    expect(space.has(meaning.allowed, { ...one, destination: one.source })).toBe(true);
    expect(space.has(meaning.ofNodes, { ...one, source: 0xc000_0201n })).toBe(true);
    expect(meaning.classes).toBe(1);
  });
});
