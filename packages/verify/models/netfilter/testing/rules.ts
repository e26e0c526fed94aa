import fc from 'fast-check';
import { PORTS, outsideMac } from './lab.ts';
import type { Probe } from './packets.ts';

/** Random rules and probes that meet often: small pools of addresses, ports and interfaces. */
const addresses = [
  '10.1.0.5',
  '10.1.0.9',
  '10.1.1.5',
  '10.2.0.5',
  '10.2.0.9',
  '10.2.200.1',
  '10.3.0.5',
  '10.3.7.7',
  '10.0.0.1',
  '10.0.1.1',
  '8.8.8.8',
  '10.0.2.255',
];
const networks = [
  '10.1.0.0/16',
  '10.2.0.0/24',
  '10.3.0.0/16',
  '10.0.0.0/8',
  '10.1.0.4/30',
  '10.1.0.5/32',
  '0.0.0.5/0.0.0.255',
  '10.2.0.9/32',
];
const ports = [22, 53, 80, 443, 1024, 5000, 20_060];
const pick = <T>(values: readonly T[]) => fc.constantFrom(...values);
const not = fc.boolean().map((yes) => (yes ? '! ' : ''));
const text = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(''));
const port = pick(ports).map(String);
const range = fc.tuple(pick(ports), pick(ports)).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`);
const list = fc.uniqueArray(port, { minLength: 1, maxLength: 3 }).map((all) => all.join(','));
const flag = fc.uniqueArray(pick(['SYN', 'ACK', 'RST', 'FIN', 'URG', 'PSH']), { minLength: 1, maxLength: 3 });

const general: fc.Arbitrary<string>[] = [
  text(not, pick(['-s ', '-d ']), pick(networks)),
  text(not, pick(['-s ', '-d ']), pick(networks)),
  text(
    fc.constant('-m state '),
    not,
    fc.constant('--state '),
    pick(['NEW', 'INVALID', 'NEW,INVALID', 'ESTABLISHED,RELATED', 'UNTRACKED']),
  ),
  text(
    fc.constant('-m conntrack '),
    not,
    fc.constant('--ctstate '),
    pick(['NEW', 'DNAT', 'SNAT,INVALID', 'INVALID', 'NEW,DNAT']),
  ),
  text(fc.constant('-m mark '), not, fc.constant('--mark '), pick(['0x1', '0x2/0x3', '0x0/0xf'])),
  text(fc.constant('-m connmark '), not, fc.constant('--mark '), pick(['0x1', '0x0/0x1'])),
  text(fc.constant('-m iprange '), not, pick(['--src-range 10.1.0.5-10.1.1.5', '--dst-range 10.2.0.6-10.3.0.0'])),
  text(fc.constant('-m ttl --ttl-'), pick(['eq 63', 'gt 40', 'lt 64', 'eq 64'])),
  text(fc.constant('-m length '), not, fc.constant('--length '), pick(['0:40', '41:1500', '48'])),
  text(
    fc.constant('-m addrtype '),
    not,
    pick(['--dst-type LOCAL', '--src-type LOCAL', '--dst-type BROADCAST', '--src-type UNICAST']),
  ),
  text(fc.constant('-m dscp '), not, fc.constant('--dscp '), pick(['0x0a', '0x00'])),
  text(
    fc.constant('-m set '),
    not,
    fc.constant('--match-set '),
    pick(['nets src', 'nets dst', 'pairs dst,dst', 'pairs src,dst']),
  ),
  text(fc.constant('-m physdev '), not, fc.constant('--physdev-is-bridged')),
  fc.constant('-m comment --comment "it\'s \\"quoted\\" here"'),
  text(not, fc.constant('-f')),
];
const macs = text(fc.constant('-m mac '), not, fc.constant('--mac-source '), pick(PORTS.map(outsideMac)));
const interfaceIn = text(not, fc.constant('-i '), pick(['eth0', 'eth1', 'eth2', 'eth+', 'lo', 'other']));
const interfaceOut = text(not, fc.constant('-o '), pick(['eth0', 'eth1', 'eth2', 'eth+']));
const withProtocol: fc.Arbitrary<string>[] = [
  text(fc.constant('-p tcp -m tcp '), not, pick(['--dport ', '--sport ']), fc.oneof(port, range)),
  text(fc.constant('-p udp -m udp '), not, fc.constant('--dport '), fc.oneof(port, range)),
  text(
    pick(['-p tcp ', '-p udp ']),
    fc.constant('-m multiport '),
    not,
    pick(['--dports ', '--sports ', '--ports ']),
    list,
  ),
  text(fc.constant('-p icmp -m icmp '), not, fc.constant('--icmp-type '), pick(['8', '0', '3/1', 'any'])),
  fc
    .tuple(not, flag, flag)
    .map(
      ([inverted, mask, set]) =>
        `-p tcp -m tcp ${inverted}--tcp-flags ${[...new Set([...mask, ...set])].join(',')} ${set.join(',')}`,
    ),
  text(fc.constant('-p tcp -m tcp '), not, fc.constant('--syn')),
  text(not, fc.constant('-p '), pick(['tcp', 'udp', 'icmp'])),
];

function rule(
  chain: string,
  targets: fc.Arbitrary<string>,
  more: readonly fc.Arbitrary<string>[],
): fc.Arbitrary<string> {
  const sameMatch = (one: string) => {
    const [first, second] = one.replace(/^! /, '').split(' ');
    return first === '-m' ? second! : first!;
  };
  const others = fc.uniqueArray(fc.oneof(...general, ...more), { maxLength: 2, selector: sameMatch });
  return fc
    .tuple(fc.option(fc.oneof(...withProtocol), { nil: '' }), others, targets)
    .map(([protocol, tests, target]) => {
      /** Some targets bring their protocol with them. */
      const all = [target.startsWith('-p') ? '' : protocol, ...tests, target];
      return `-A ${chain} ${all.filter((one) => one !== '').join(' ')}`;
    });
}

const rulesOf = (chain: string, max: number, targets: fc.Arbitrary<string>, more: readonly fc.Arbitrary<string>[]) =>
  fc.array(rule(chain, targets, more), { maxLength: max });

const verdict = pick([
  '-j ACCEPT',
  '-j DROP',
  '-j ACCEPT',
  '-j DROP',
  '-j RETURN',
  '-j REJECT --reject-with icmp-port-unreachable',
  '-j LOG',
]);
const marks = pick([
  '-j MARK --set-xmark 0x1/0xffffffff',
  '-j MARK --set-xmark 0x2/0x2',
  '-j CONNMARK --save-mark',
  '-j CONNMARK --set-xmark 0x1/0xffffffff',
  '-j CONNMARK --restore-mark',
  '-j ACCEPT',
]);
const changes = fc.oneof(marks, pick(['-j TTL --ttl-set 33', '-j DSCP --set-dscp 0x0a', '-j TOS --set-tos 0x10/0x3f']));
const toPort = text(fc.constant('-p udp -j DNAT --to-destination 10.3.0.5:'), port);
const destination = fc.oneof(
  pick([
    '-j DNAT --to-destination 10.3.0.9',
    '-j DNAT --to-destination 10.2.0.5-10.2.0.5',
    '-p tcp -j REDIRECT --to-ports 8080',
    '-j REDIRECT',
    '-j ACCEPT',
    '-j RETURN',
  ]),
  toPort,
);
const source = pick([
  '-j MASQUERADE',
  '-j SNAT --to-source 10.0.2.77',
  '-j ACCEPT',
  '-p tcp -j SNAT --to-source 10.0.2.78:2000-9000',
  '-p udp -j MASQUERADE --to-ports 30000-40000',
  '-j RETURN',
]);
const policy = pick(['ACCEPT', 'ACCEPT', 'DROP']);

/** For `iptables-restore`. */
export const iptablesRules: fc.Arbitrary<string> = fc
  .record({
    raw: rulesOf('PREROUTING', 2, pick(['-j CT --notrack', '-j NOTRACK', '-j DROP', '-j ACCEPT']), [interfaceIn, macs]),
    mangle: rulesOf('PREROUTING', 3, changes, [interfaceIn, macs]),
    mangleForward: rulesOf('FORWARD', 2, changes, [interfaceIn, interfaceOut]),
    pre: rulesOf('PREROUTING', 3, destination, [interfaceIn]),
    post: rulesOf('POSTROUTING', 3, source, [interfaceOut]),
    natUser: rulesOf('natuser', 2, source, [interfaceOut]),
    forward: rulesOf('FORWARD', 8, fc.oneof(verdict, verdict, pick(['-j one', '-j two', '-g two'])), [
      interfaceIn,
      interfaceOut,
      macs,
    ]),
    input: rulesOf('INPUT', 4, fc.oneof(verdict, pick(['-j one', '-g two'])), [interfaceIn, macs]),
    one: rulesOf('one', 4, fc.oneof(verdict, pick(['-j two', '-g two', '-j three'])), [interfaceIn]),
    two: rulesOf('two', 4, fc.oneof(verdict, pick(['-j three'])), []),
    three: rulesOf('three', 3, verdict, []),
    policies: fc.tuple(policy, policy),
  })
  .map((all) =>
    [
      '*raw',
      ':PREROUTING ACCEPT [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      ...all.raw,
      'COMMIT',
      '*mangle',
      ':PREROUTING ACCEPT [0:0]',
      ':INPUT ACCEPT [0:0]',
      ':FORWARD ACCEPT [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      ':POSTROUTING ACCEPT [0:0]',
      ...all.mangle,
      ...all.mangleForward,
      'COMMIT',
      '*nat',
      ':PREROUTING ACCEPT [0:0]',
      ':INPUT ACCEPT [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      ':POSTROUTING ACCEPT [0:0]',
      ':natuser - [0:0]',
      ...all.pre,
      '-A POSTROUTING -m mark --mark 0x1 -j natuser',
      ...all.post,
      ...all.natUser,
      'COMMIT',
      '*filter',
      `:INPUT ${all.policies[0]} [0:0]`,
      `:FORWARD ${all.policies[1]} [0:0]`,
      ':OUTPUT ACCEPT [0:0]',
      ':one - [0:0]',
      ':two - [0:0]',
      ':three - [0:0]',
      ...all.forward,
      ...all.input,
      ...all.one,
      ...all.two,
      ...all.three,
      'COMMIT',
      '',
    ].join('\n'),
  );

export const ipsetText = [
  'create nets hash:net family inet hashsize 1024 maxelem 65536',
  'add nets 10.1.0.0/16',
  'add nets 10.1.0.4/30 nomatch',
  'add nets 10.2.0.9',
  'create pairs hash:ip,port family inet hashsize 1024 maxelem 65536',
  'add pairs 10.2.0.5,tcp:80',
  'add pairs 10.1.0.5,udp:53',
  'add pairs 10.3.0.5,tcp:22',
  '',
].join('\n');

const number = (address: string) => address.split('.').reduce((all, part) => all * 256 + Number(part), 0);

/** Every probe is a connection of its own: its number is its source port. */
export const probes = (count: number): fc.Arbitrary<Probe[]> =>
  fc
    .array(
      fc.record({
        port: pick(PORTS),
        src: pick(addresses.slice(0, 9)).map(number),
        dst: pick(addresses).map(number),
        ttl: pick([64, 64, 64, 41, 1, 2]),
        tos: pick([0, 0, 0x28]),
        protocol: pick(['tcp', 'tcp', 'udp', 'icmp'] as const),
        dport: pick(ports),
        flags: pick([2, 2, 2, 16, 18, 4, 1, 0, 24, 3, 0x42]),
        type: pick([8, 8, 0, 3, 13]),
      }),
      { minLength: count, maxLength: count },
    )
    .map((all) =>
      all.map((probe, index) => ({
        ...probe,
        id: index + 1,
        sport: probe.protocol === 'icmp' ? 0 : 20_000 + index,
        dport: probe.protocol === 'icmp' ? 0 : probe.dport,
        flags: probe.protocol === 'tcp' ? probe.flags : 0,
        type: probe.protocol === 'icmp' ? probe.type : 0,
      })),
    );
