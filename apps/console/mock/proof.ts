import type { ProofAnswer, VerificationReport } from '@superfluidity/api';

const LIKENESS: NonNullable<VerificationReport['likeness']> = {
  answer: 'holds',
  because: 'every packet of 41 classes goes where it was meant to go',
  dependsOn: ['edge', 'core'],
  differences: [],
  leftOut: ['packets with a forged source'],
};

/** What verification says of the demo: two policies, of which the first is broken when that is asked for. */
export function proofOf(answer: ProofAnswer, plane: VerificationReport['plane']): VerificationReport {
  const broken = answer === 'violated';
  const sent = {
    'IPv4.src': '172752907',
    'IPv4.dst': '173015050',
    'TCP.sport': '40312',
    'TCP.dport': '22',
    'IPv4.ttl': '64',
  };
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
                outcome: 'arrives',
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
                layout: 'Ethernet / IPv4 / TCP',
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
        paths: [
          {
            outcome: 'arrives',
            port: 'video/server#0:apps',
            hops: [
              { port: 'ue/client#0:users', because: [{ file: 'service.yaml', line: 18, text: 'ports: [users]' }] },
              {
                port: 'epc/gateway#0:sgi',
                because: [{ file: 'intended/edge-e2', line: 11, text: 'snat to 10.47.0.2' }],
              },
              {
                port: 'firewall/filter#0:sgi',
                because: [{ file: 'firewall.nft', line: 7, text: 'tcp dport 8080 accept' }],
              },
              { port: 'video/server#0:apps', because: [] },
            ],
            doubts: answer === 'unknown' ? ['the guest may drop what it does not know'] : [],
            layout: 'Ethernet / IPv4 / TCP',
            packet: {
              sent: { ...sent, 'TCP.dport': '8080' },
              arrived: { ...sent, 'IPv4.src': '174063618', 'TCP.dport': '8080' },
            },
          },
        ],
      },
    ],
    ...(plane === 'intended' ? {} : { likeness: LIKENESS }),
    assumptions: ['Hosts forward by the tables that the driver has told.', 'Nobody forges source addresses.'],
    tookMs: 184,
  };
}
