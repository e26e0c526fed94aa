import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explore } from '../../engine/explore.ts';
import { interpret } from '../../engine/interpret.ts';
import { fieldIs, layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { readIptables } from '../../readers/netfilter/iptables.ts';
import type { Ruleset } from '../../readers/netfilter/ruleset.ts';
import { netfilterModel } from './model.ts';
import { serviceMatrix } from './service-matrix.ts';
import { labBox, labNetwork, mirror, predict } from './testing/predict.ts';
import type { Probe } from './testing/packets.ts';

const rulesOf = (...lines: string[]): Ruleset => readIptables({ path: 'rules', text: lines.join('\n') }).value;
const address = (text: string) => text.split('.').reduce((all, part) => all * 256 + Number(part), 0);
const probe = (more: Partial<Probe>): Probe => ({
  port: 0,
  src: address('10.1.0.5'),
  dst: address('10.3.0.5'),
  ttl: 64,
  tos: 0,
  protocol: 'tcp',
  sport: 20_000,
  dport: 80,
  flags: 2,
  type: 0,
  id: 1,
  ...more,
});

/** What leaves by eth2 comes back as an answer. */
function mirrored(rules: Ruleset): Network {
  const network = labNetwork(labBox([rules]));
  const programs = new Map(network.programs).set('mirror:in', mirror('r', 'eth2'));
  return { ...network, programs, links: new Map([['r:eth2:out', ['mirror:in']]]) };
}

describe('connections', () => {
  it('lets answers through where only established connections may', () => {
    const rules = rulesOf(
      '*filter',
      ':FORWARD DROP [0:0]',
      '-A FORWARD -m state --state ESTABLISHED -j ACCEPT',
      '-A FORWARD -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT',
      'COMMIT',
    );
    const [there] = predict(mirrored(rules), probe({}));
    expect([there!.path.outcome, there!.path.port, there!.lines]).toEqual(['delivered', 'r:eth0:out', [4, 3]]);
    const [unasked] = predict(mirrored(rules), probe({ port: 2, src: address('10.3.0.5'), dst: address('10.1.0.5') }));
    expect(unasked!.path.why).toBe('policy of FORWARD');
  });

  it('translates answers back, for sources and destinations', () => {
    const rules = rulesOf(
      '*nat',
      ':PREROUTING ACCEPT [0:0]',
      ':POSTROUTING ACCEPT [0:0]',
      '-A PREROUTING -d 8.8.8.8/32 -p tcp -j DNAT --to-destination 10.3.0.9:8080',
      '-A POSTROUTING -o eth2 -j MASQUERADE',
      'COMMIT',
    );
    const sent = probe({ dst: address('8.8.8.8') });
    const [back] = predict(mirrored(rules), sent);
    expect(back!.path.hops.map(({ port }) => port)).toEqual([
      'r:eth0:in',
      'r:eth2:out',
      'mirror:in',
      'r:eth2:in',
      'r:eth0:out',
    ]);
    const { src, dst, sport, dport } = back!.packet;
    expect({ src, dst, sport, dport }).toEqual({ src: sent.dst, dst: sent.src, sport: sent.dport, dport: sent.sport });
    expect(back!.lines).toEqual([4, 5]);
  });

  it('leads no packet to chains of type nat as long as no rule needs connections', () => {
    const rules = (...more: string[]) =>
      rulesOf('*nat', ':POSTROUTING ACCEPT [0:0]', '-A POSTROUTING -p tcp -j RETURN', ...more, 'COMMIT');
    const lines = (of: Ruleset) => predict(labNetwork(labBox([of])), probe({}))[0]!.lines;
    expect(lines(rules())).toEqual([]);
    expect(lines(rules('-A POSTROUTING -o eth2 -j MASQUERADE'))).toEqual([3]);
    expect(lines(rules('-A POSTROUTING -m state --state NEW -j ACCEPT'))).toEqual([3]);
  });

  it('marks what may be translated already, when any packet is asked about', () => {
    const rules = rulesOf('*nat', ':POSTROUTING ACCEPT [0:0]', '-A POSTROUTING -o eth2 -j MASQUERADE', 'COMMIT');
    const network = labNetwork({ ...labBox([rules]), flows: 'any' });
    const { paths } = explore(network, { port: 'r:eth0:in', layouts: [layout('ipv4/tcp')!] });
    expect(paths.some(({ outcome, doubts }) => outcome === 'delivered' && doubts.length === 0)).toBe(true);
    expect(paths.some(({ doubts }) => doubts.some((what) => what.includes('began before')))).toBe(true);
  });
});

describe('what is not known', () => {
  const rules = rulesOf(
    '*filter',
    ':FORWARD ACCEPT [0:0]',
    '-A FORWARD -p tcp -m tcp --dport 22 -m limit --limit 1/sec -j DROP',
    '-A FORWARD -p tcp -m tcp --dport 23 -j FANCY --option 1',
    'COMMIT',
  );
  const network = labNetwork(labBox([rules]));
  const ends = (port: number) => {
    const { paths } = explore(
      network,
      { port: 'r:eth0:in', layouts: [layout('ipv4/tcp')!], assume: fieldIs('TCP.dport', port) },
      { keepDropped: true },
    );
    const through = paths.filter(({ why }) => why === undefined || /DROP|FANCY/.test(why));
    return new Set(
      through
        .filter(({ port: at }) => at !== 'r:local:out')
        .map(({ outcome, doubts }) => `${outcome}${doubts.length > 0 ? '?' : ''}`),
    );
  };

  it('goes both ways, with a doubt, and nothing else is doubted', () => {
    expect(ends(22)).toEqual(new Set(['delivered?', 'dropped?']));
    expect(ends(23)).toEqual(new Set(['delivered?', 'dropped?']));
    expect(ends(80)).toEqual(new Set(['delivered']));
  });
});

it('refuses chains that jump to themselves', () => {
  const rules = rulesOf(
    '*filter',
    ':FORWARD ACCEPT [0:0]',
    ':a - [0:0]',
    '-A FORWARD -j a',
    '-A a -j b',
    '-A b -j a',
    'COMMIT',
  );
  expect(() => netfilterModel('r', labBox([rules]))).toThrow(/chain a of r jumps to itself/);
});

it('answers a thousand rules with a symbolic packet by what happens to it, not by the rule', () => {
  const lines = Array.from(
    { length: 1_000 },
    (_, i) =>
      `-A FORWARD -s 10.1.${i % 200}.0/24 -d 10.3.${i % 7}.${i % 250}/32 -p tcp -m tcp --dport ${1 + i} -j ${i % 3 === 0 ? 'DROP' : 'ACCEPT'}`,
  );
  const network = labNetwork(labBox([rulesOf('*filter', ':FORWARD DROP [0:0]', ...lines, 'COMMIT')]));
  const { paths, bound } = explore(
    network,
    { port: 'r:eth0:in', layouts: [layout('ipv4/tcp')!] },
    { keepDropped: true },
  );
  expect(bound).toBeUndefined();
  expect(paths.length).toBeLessThan(30);
  const allowed = paths.find(({ outcome, port }) => outcome === 'delivered' && port === 'r:eth2:out')!;
  const { sent } = allowed.witness()!;
  const setup = layout('ipv4/tcp')!.setup;
  const again = interpret(network, 'r:eth0:in', setup, { fresh: (name) => sent.values.get(name) ?? 0n });
  expect(again.map(({ outcome, port }) => [outcome, port])).toEqual([['delivered', 'r:eth2:out']]);
});

describe('the matrix of a service', () => {
  const nets = ['10.1.0.0/16', '10.1.0.4/30', '10.3.0.0/24', '10.2.0.9/32', '10.0.0.0/8'];
  const hosts = ['10.1.0.5', '10.1.0.9', '10.3.0.5', '10.3.9.9', '10.2.0.9', '9.9.9.9'].map(address);
  const rule = (chain: string, targets: readonly string[]) =>
    fc
      .tuple(
        fc.constantFrom('', ...nets.map((net) => `-s ${net}`), ...nets.map((net) => `! -d ${net}`)),
        fc.constantFrom('', ...nets.map((net) => `-d ${net}`)),
        fc.constantFrom(
          '',
          '-p tcp -m tcp --dport 80',
          '-p udp',
          '-m state --state ESTABLISHED',
          '-p tcp -m tcp --dport 22',
        ),
        fc.constantFrom(...targets),
      )
      .filter(([a, b]) => !(a.includes('-d') && b !== ''))
      .map((parts) => `-A ${chain} ${parts.filter((part) => part !== '').join(' ')}`);
  const verdicts = ['-j ACCEPT', '-j DROP', '-j RETURN'];
  const ruleset = fc
    .tuple(
      fc.array(rule('FORWARD', [...verdicts, '-j user', '-g user']), { maxLength: 8 }),
      fc.array(rule('user', verdicts), { maxLength: 5 }),
      fc.boolean(),
    )
    .map(([forward, user, drops]) =>
      rulesOf('*filter', `:FORWARD ${drops ? 'DROP' : 'ACCEPT'} [0:0]`, ':user - [0:0]', ...forward, ...user, 'COMMIT'),
    );

  it('says of each pair what the model says of the packet', () => {
    fc.assert(
      fc.property(ruleset, (rules) => {
        const { groups, allowed } = serviceMatrix(rules, { protocol: 'tcp', port: 80 });
        const groupOf = (host: number) =>
          groups.findIndex(({ ranges }) => ranges.some(([low, high]) => BigInt(host) >= low && BigInt(host) <= high));
        const network = labNetwork(labBox([rules]));
        for (const src of hosts) {
          for (const dst of hosts) {
            const [predicted] = predict(network, probe({ src, dst, sport: 49_152 }));
            expect(allowed[groupOf(src)]![groupOf(dst)]).toBe(predicted!.path.outcome === 'delivered');
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('partitions all addresses, and no two groups have the same rights', () => {
    fc.assert(
      fc.property(ruleset, (rules) => {
        const { groups, allowed } = serviceMatrix(rules, { protocol: 'tcp', port: 80 });
        expect(groups.reduce((sum, { size }) => sum + size, 0n)).toBe(1n << 32n);
        const rights = allowed.map((row, i) => JSON.stringify([row, allowed.map((other) => other[i])]));
        expect(new Set(rights).size).toBe(groups.length);
      }),
      { numRuns: 50 },
    );
  });
});

it('reads nothing that is not in the packet', () => {
  /** Ports of ICMP, flags of UDP: tests of what is not there do not hold, and are no error. */
  const rules = rulesOf(
    '*filter',
    ':FORWARD DROP [0:0]',
    '-A FORWARD ! -p tcp -m length --length 0:2000 -j ACCEPT',
    'COMMIT',
  );
  const network = labNetwork(labBox([rules]));
  const { paths } = explore(network, { port: 'r:eth0:in' }, { keepDropped: true });
  expect(paths.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});
