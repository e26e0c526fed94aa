import fc from 'fast-check';
import { PORTS, outsideMac } from './lab.ts';

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values);
const text = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(''));
const not = pick(['', '!= ']);

const tests: readonly fc.Arbitrary<string>[] = [
  text(
    pick(['ip saddr ', 'ip daddr ']),
    not,
    pick(['10.1.0.0/16', '10.2.0.5', '{ 10.1.0.5, 10.3.0.0/16 }', '10.1.0.6-10.2.0.7', '@nets']),
  ),
  text(pick(['tcp dport ', 'udp dport ', 'th dport ']), not, pick(['22', '{ 22, 53, 80-1024 }', '53-443', '@ports'])),
  text(pick(['tcp dport ']), pick(['< 80', '>= 443', '> 53'])),
  text(
    fc.constant('ct state '),
    pick(['new', 'invalid,new', '!= new', '{ new, invalid }', 'established,related', 'untracked']),
  ),
  pick([
    'ct direction original',
    'ct status dnat',
    'meta mark 0x00000001',
    'meta mark & 0x00000003 == 0x00000002',
    'meta mark != 0x00000001',
  ]),
  pick(['iifname "eth0"', 'iifname != "eth1"', 'iifname { "eth0", "eth2" }', 'iifname "eth*"', 'iif "eth2"']),
  pick([
    'tcp flags syn',
    'tcp flags == syn',
    'tcp flags & (fin | syn | rst | ack) == syn',
    'tcp flags syn,ack',
    'tcp flags != syn',
    'tcp flags ! syn,ack',
  ]),
  pick([
    'icmp type echo-request',
    'icmp type { echo-reply, echo-request }',
    'icmp type destination-unreachable icmp code 0',
  ]),
  pick([
    'meta l4proto tcp',
    'meta l4proto { tcp, udp }',
    'ip protocol icmp',
    'ip protocol != tcp',
    'meta nfproto ipv4',
    'ip6 saddr fe80::/10',
  ]),
  pick([
    'ip saddr . tcp dport { 10.1.0.5 . 80, 10.2.0.0/24 . 22-443 }',
    'ip saddr . udp dport != { 10.1.0.5 . 53, 10.3.0.5 . 22 }',
    'ip daddr . tcp dport @pairs',
    'iifname . ip protocol { "eth0" . tcp, "eth1" . udp }',
  ]),
  pick([
    'ip ttl < 50',
    'ip ttl 64',
    'ip dscp 0x0a',
    'meta length 40-48',
    'ip saddr & 0.0.0.255 == 0.0.0.5',
    'fib daddr type local',
    'fib saddr type unicast',
    'fib saddr . iif oif missing',
    'fib saddr . iif oif exists',
  ]),
  text(fc.constant('ether saddr '), not, pick(PORTS.map(outsideMac))),
];
const verdicts = pick([
  'accept',
  'drop',
  'accept',
  'return',
  'jump one',
  'goto two',
  'reject',
  'meta mark set 0x00000001',
  'ip dscp set 0x0a',
  'ip ttl set 33',
  'meta mark set ct mark',
  'ct mark set 0x00000002',
]);
const maps = pick([
  'tcp dport vmap { 22 : accept, 53-80 : drop, 443 : jump one }',
  'ct state vmap { new : jump one, invalid : drop }',
  'ip saddr . tcp dport vmap { 10.1.0.5 . 80 : drop, 10.2.0.5 . 22 : goto two }',
  'iifname vmap @ways',
  'meta mark set ip saddr map { 10.1.0.5 : 0x00000001, 10.2.0.0/24 : 0x00000002 }',
]);

const rule = (ends: fc.Arbitrary<string>) =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(fc.uniqueArray(fc.oneof(...tests), { maxLength: 2 }), ends)
        .map(([all, end]) => [...all, 'counter', end].join(' ')),
    },
    { weight: 1, arbitrary: maps.map((map) => map.replace('vmap', 'vmap')) },
  );
const chain = (name: string, base: string, max: number, ends: fc.Arbitrary<string>) =>
  fc.array(rule(ends), { maxLength: max }).map((rules) => ['chain ' + name + ' {', base, ...rules, '}'].join('\n'));
const leaf = verdicts.map((one) => (/^(?:jump|goto)/.test(one) ? 'accept' : one));
const inner = verdicts.map((one) => (one === 'jump one' || one === 'goto two' ? 'jump two' : one));
const policy = pick(['accept', 'accept', 'drop']);

/** For `nft -f`: a filter at three hooks, and destination and source NAT with maps. */
export const nftRules: fc.Arbitrary<string> = fc
  .tuple(policy, policy)
  .chain(([forward, input]) =>
    fc.tuple(
      chain('two', '', 3, leaf),
      fc
        .array(
          fc.tuple(fc.oneof(...tests), inner).map(([test, end]) => `${test} counter ${end}`),
          { maxLength: 3 },
        )
        .map((rules) => ['chain one {', ...rules, '}'].join('\n')),
      chain(
        'pre',
        'type filter hook prerouting priority mangle; policy accept;',
        3,
        leaf.map((one) => (one === 'reject' ? 'accept' : one)),
      ),
      chain('forward', `type filter hook forward priority filter; policy ${forward};`, 6, verdicts),
      chain('input', `type filter hook input priority filter - 5; policy ${input};`, 3, verdicts),
      pick([
        'tcp dport 80 dnat ip to 10.3.0.5:8080',
        'udp dport 53 redirect to :5353',
        'dnat ip to tcp dport map { 22 : 10.2.0.5, 443 : 10.3.0.9 }',
        'dnat ip to ip saddr . udp dport map { 10.1.0.5 . 53 : 10.3.0.7 . 1053 }',
        '',
      ]),
      pick([
        'oifname "eth2" masquerade',
        'ip saddr 10.1.0.0/16 snat ip to 10.0.2.77',
        'oifname { "eth0", "eth1" } ip protocol != icmp masquerade',
        '',
      ]),
    ),
  )
  .map(([two, one, pre, forward, input, dnat, snat]) =>
    [
      'table inet t {',
      'set nets { type ipv4_addr; flags interval; elements = { 10.1.0.0/24, 10.2.0.9 } }',
      'set ports { type inet_service; elements = { 22, 443 } }',
      'set pairs { type ipv4_addr . inet_service; elements = { 10.2.0.5 . 22, 10.3.0.5 . 80 } }',
      two,
      one,
      'map ways { type ifname : verdict; elements = { "eth0" : jump one, "eth1" : accept } }',
      pre,
      forward,
      input,
      '}',
      'table ip n {',
      `chain pre { type nat hook prerouting priority dstnat; policy accept; ${dnat}; }`,
      `chain post { type nat hook postrouting priority srcnat; policy accept; ${snat}; }`,
      '}',
      '',
    ].join('\n'),
  );
