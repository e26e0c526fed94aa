import type { ProofAnswer, VerificationReport, WaysReport } from '@superfluidity/api';

const LIKENESS: NonNullable<VerificationReport['likeness']> = {
  answer: 'holds',
  because: 'every packet of 41 classes goes where it was meant to go',
  dependsOn: ['edge', 'core'],
  differences: [],
  leftOut: ['packets with a forged source'],
};

const sent = {
  'IPv4.src': '172752907',
  'IPv4.dst': '173015050',
  'TCP.sport': '40312',
  'TCP.dport': '22',
  'IPv4.ttl': '64',
};

type Path = VerificationReport['policies'][number]['paths'][number];

/** By the chain to the server. */
const videoPath: Path = {
  outcome: 'delivered',
  port: 'video/server#0:apps',
  hops: [
    { port: 'ue/client#0:users', because: [{ file: 'service.yaml', line: 18, text: 'ports: [users]' }] },
    { port: 'epc/gateway#0:sgi', because: [{ file: 'intended/edge-e2', line: 11, text: 'snat to 10.47.0.2' }] },
    { port: 'firewall/filter#0:sgi', because: [{ file: 'firewall.nft', line: 7, text: 'tcp dport 8080 accept' }] },
    { port: 'video/server#0:apps', because: [] },
  ],
  doubts: ['the guest may drop what it does not know'],
  layout: 'ipv4/tcp',
  packet: {
    sent: { ...sent, 'TCP.dport': '8080' },
    arrived: { ...sent, 'IPv4.src': '174063618', 'TCP.dport': '8080' },
  },
};

const ASSUMPTIONS = ['Hosts forward by the tables that the driver has told.', 'Nobody forges source addresses.'];

/** Users get to the server by its port; what else they send ends at the firewall. Others reach nobody. */
export function waysOf(from: string, plane: WaysReport['plane']): WaysReport {
  const back = videoPath.hops.slice(0, -1).toReversed();
  const [, , firewall] = videoPath.hops;
  const dropped = { file: 'firewall.nft', line: 9, text: 'counter drop' };
  const of = { from: 'ue/client#0' };
  const ways: WaysReport['ways'] = from.startsWith('ue')
    ? [
        {
          ...of,
          ...videoPath,
          arrivesAt: 'video/server#0',
          answered: true,
          doubts: [],
          port: 'ue/client#0:users',
          hops: [...videoPath.hops, ...back.map(({ port }) => ({ port, because: [] }))],
        },
        {
          ...of,
          ...videoPath,
          answered: false,
          outcome: 'dropped',
          port: firewall!.port,
          why: 'the rule drops it',
          source: dropped,
          doubts: [],
          hops: videoPath.hops.slice(0, 3).map((hop) => (hop === firewall ? { ...hop, because: [dropped] } : hop)),
          packet: { sent, arrived: { ...sent, 'IPv4.src': '174063618', 'IPv4.ttl': '61' } },
        },
      ]
    : [];
  return { plane, ways, found: ways.length, assumptions: [...ASSUMPTIONS], tookMs: 61 };
}

/** What verification says of the demo: two policies, of which the first is broken when that is asked for. */
export function proofOf(answer: ProofAnswer, plane: VerificationReport['plane']): VerificationReport {
  const broken = answer === 'violated';
  return {
    plane,
    answer,
    policies: [
      {
        policy: 'users reach only the video port',
        answer: broken ? 'violated' : 'holds',
        because: broken
          ? 'a packet to port 22 arrives at video/server'
          : 'no other packet arrives: 3 classes were asked about',
        dependsOn: ['firewall/filter', 'offload/tof'],
        rules: [{ file: 'firewall.nft', line: 7, text: 'tcp dport 8080 accept' }],
        paths: broken
          ? [
              {
                outcome: 'delivered',
                port: 'video/server#0:apps',
                why: 'the last rule of the chain accepts',
                source: { file: 'firewall.nft', line: 9, text: 'ip saddr 10.45.0.0/16 accept' },
                hops: [
                  { port: 'ue/client#0:users', because: [{ file: 'service.yaml', line: 18, text: 'ports: [users]' }] },
                  {
                    port: 'radio/bbu#0:ran',
                    because: [{ file: 'intended/edge-e1', line: 4, text: 'seg6 encap fd00:1::3' }],
                  },
                  {
                    port: 'epc/gateway#0:sgi',
                    because: [{ file: 'intended/edge-e2', line: 11, text: 'snat to 10.47.0.2' }],
                  },
                  {
                    port: 'firewall/filter#0:sgi',
                    because: [
                      { file: 'firewall.nft', line: 5, text: 'ct state established accept' },
                      { file: 'firewall.nft', line: 9, text: 'ip saddr 10.45.0.0/16 accept' },
                    ],
                  },
                  { port: 'video/server#0:apps', because: [] },
                ],
                doubts: [],
                layout: 'ipv4/tcp',
                packet: { sent, arrived: { ...sent, 'IPv4.src': '174063618', 'IPv4.ttl': '61' } },
              },
            ]
          : [],
      },
      {
        policy: 'video answers every user',
        answer: answer === 'unknown' ? 'unknown' : 'holds',
        because:
          answer === 'unknown'
            ? 'the inside of the virtual machine is not read'
            : 'every request has a way there and back',
        ...(answer === 'unknown' ? { bound: 'time' } : {}),
        dependsOn: ['epc/gateway', 'video/server'],
        rules: [{ file: 'service.yaml', line: 64, text: 'chain uplink' }],
        // Of what holds the server shows no path.
        paths: answer === 'unknown' ? [videoPath] : [],
      },
    ],
    ...(plane === 'intended' ? {} : { likeness: LIKENESS }),
    assumptions: [...ASSUMPTIONS],
    tookMs: 184,
  };
}
