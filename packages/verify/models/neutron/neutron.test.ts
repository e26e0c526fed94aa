import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assign,
  block,
  explore,
  field,
  forward,
  interpret,
  layouts,
  meta,
  mtu,
  type Network,
  reach,
  read,
} from '../../index.ts';
import { parseFilter } from '../../filter/filter.ts';
import { readNeutron } from '../../readers/neutron/neutron.ts';
import { neutronModel } from './model.ts';
import { broadcast, oracle, type Packet } from './testing/oracle.ts';
import { type Dump, dumps, oneServer, packetsOf } from './testing/random.ts';

const udp = layouts.find(({ name }) => name === 'ipv4/udp')!;
const tcp = layouts.find(({ name }) => name === 'ipv4/tcp')!;
const icmp = layouts.find(({ name }) => name === 'ipv4/icmp')!;
const SYN = 2n;

function networkOf(dump: Dump): Network {
  const { value } = readNeutron({ path: 'neutron.json', text: JSON.stringify(dump) });
  return { name: 'tenants', links: new Map(), ...neutronModel(value) };
}

const number = (address: string) => address.split('.').reduce((all, part) => all * 256n + BigInt(part), 0n);
const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');

/** Where the packet comes out, and with which addresses. */
function sent(network: Network, { from, src, dst, protocol, port }: Packet): string {
  const values: Readonly<Record<string, bigint>> = {
    'IPv4.src': number(src),
    'IPv4.dst': number(dst),
    'IPv4.ttl': 64n,
    'TCP.flags': SYN,
    'TCP.dport': BigInt(port),
    'UDP.dport': BigInt(port),
    'ICMP.type': 8n,
  };
  const { setup } = { tcp, udp, icmp }[protocol];
  const paths = interpret(network, from, setup, { fresh: (name) => values[name] ?? 1_024n });
  expect(paths).toHaveLength(1);
  const [path] = paths;
  if (path!.outcome !== 'delivered') return 'dropped';
  const [a, b] = ['IPv4.src', 'IPv4.dst'].map((name) => dotted(path!.read(field(name))!));
  const to = protocol === 'icmp' ? '' : ` ${path!.read(field('TCP.dport'))}`;
  return `${path!.port} ${a} ${b}${to}`;
}

describe('the model of what tenants asked for', () => {
  it('does with a packet what rules, subnets and routes say', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        dumps.chain((dump) => fc.tuple(fc.constant(dump), fc.array(packetsOf(dump), { minLength: 10, maxLength: 10 }))),
        ([dump, packets]) => {
          const network = networkOf(dump);
          for (const packet of packets) {
            const expected = oracle(dump, packet);
            expect(sent(network, packet), JSON.stringify(packet)).toBe(expected);
            const kind = expected === 'dropped' ? 'dropped' : expected.includes('outside') ? 'outside' : 'inside';
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 40 },
    );
    for (const kind of ['dropped', 'outside', 'inside']) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(5);
  });

  it('brings what is for everybody to all whom rules let have it', () => {
    let heard = 0;
    const packets = dumps.chain((dump) =>
      packetsOf(dump).map((packet) => [dump, { ...packet, dst: '255.255.255.255' }] as const),
    );
    fc.assert(
      fc.property(packets, fc.boolean(), ([dump, { src: _, ...packet }], isFramed) => {
        const sender = dump.ports.find(({ name }) => name === packet.from);
        if (sender === undefined) return;
        const { mac_address: mac, fixed_ips: fixed } = sender;
        const src = fixed[0]!.ip_address;
        const values: Readonly<Record<string, bigint>> = {
          'Ether.dst': 0xffff_ffff_ffffn,
          'Ether.src': BigInt(`0x${mac.replaceAll(':', '')}`),
          'IPv4.src': number(src),
          'IPv4.dst': number(packet.dst),
          'IPv4.ttl': 64n,
          'TCP.flags': SYN,
          'TCP.dport': BigInt(packet.port),
          'UDP.dport': BigInt(packet.port),
          'ICMP.type': 8n,
        };
        const { setup } = layouts.find(({ name }) => name === `${isFramed ? 'ether/' : ''}ipv4/${packet.protocol}`)!;
        const paths = interpret(networkOf(dump), packet.from, setup, { fresh: (name) => values[name] ?? 1_024n });
        const out = paths.filter(({ outcome }) => outcome === 'delivered').map(({ port }) => port);
        expect(out.toSorted()).toEqual(broadcast(dump, { ...packet, src }).toSorted());
        heard += out.length;
      }),
      { numRuns: 60 },
    );
    expect(heard).toBeGreaterThan(0);
  });

  it('lets servers ask agents of DHCP and for metadata, and agents answer', () => {
    const network = networkOf(oneServer(1));
    const asks = (packet: string) => ({ port: 'vm0:in', layouts: [tcp, udp], assume: parseFilter(packet) });
    const discover = asks('udp && src host 0.0.0.0 && dst host 255.255.255.255 && src port 68 && dst port 67');
    expect(reach(network, discover, 'dhcp:out').answer).toBe('holds');
    const metadata = 'tcp && src net 10.0.0.10/32 && dst host 169.254.169.254 && dst port';
    expect(reach(network, asks(`${metadata} 80`), 'r:metadata:out').answer).toBe('holds');
    expect(reach(network, asks(`${metadata} 443`), 'r:metadata:out').answer).toBe('violated');
    const offers = (packet: string) => ({ port: 'dhcp:in', layouts: [udp], assume: parseFilter(packet) });
    expect(reach(network, offers('dst host 10.0.0.10 && src port 67 && dst port 68'), 'vm0:out').answer).toBe('holds');
    expect(reach(network, offers('dst port 53'), 'vm0:out').answer).toBe('violated');
  });

  it('is explored as it is interpreted', () => {
    fc.assert(
      fc.property(dumps, (dump) => {
        const network = networkOf(dump);
        const from = dump.ports.find(({ device_owner: owner }) => owner === 'compute:nova')!.name;
        const { paths, bound } = explore(network, { port: from, layouts: [tcp] });
        expect(bound).toBeUndefined();
        for (const { outcome, doubts } of paths) {
          expect(['delivered', 'dropped']).toContain(outcome);
          // Without a solver, that a path can be taken at all is not always known.
          expect(doubts.filter((doubt) => !doubt.startsWith('whether a packet can meet'))).toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('lets answers back in through groups and translations, and nothing else', () => {
    const dump = oneServer(1);
    const network = networkOf(dump);
    const start = { layouts: [tcp] };
    expect(reach(network, { ...start, port: 'vm0' }, 'public:outside:out').answer).toBe('holds');
    expect(reach(network, { ...start, port: 'public:outside:in' }, 'vm0').answer).toBe('violated');
    const answered = { ...network, ...mirrored(network) };
    expect(reach(answered, { ...start, port: 'vm0' }, 'vm0:out').answer).toBe('holds');
  });
});

describe('the MTU of a network', () => {
  const between = (inside: number, outside: number) => {
    const dump = oneServer(1);
    const networks = dump.networks.map((one) => ({ ...one, mtu: one['router:external'] ? outside : inside }));
    return mtu(networkOf({ ...dump, networks }), [{ port: 'vm0:in', layouts: [tcp] }]);
  };

  it('is that of its servers, and of the routers that send into it', () => {
    expect(between(1_450, 1_450).answer).toBe('holds');
    expect(between(1_450, 1_500).answer).toBe('holds');
    const lost = between(1_450, 1_400);
    expect(lost.answer).toBe('violated');
    const { sent } = lost.paths[0]!.witness()!;
    expect(sent.values.get('IPv4.length')).toBeGreaterThan(1_400n);
    expect(sent.values.get('IPv4.length')).toBeLessThanOrEqual(1_450n);
    expect(lost.paths[0]!.port).toBe('r:gw:send');
  });
});

/** Hosts outside that send each packet back to where it came from. */
function mirrored({ programs, links }: Network): Pick<Network, 'programs' | 'links'> {
  const swap = (a: string, b: string) => {
    const kept = meta(a, 'mirror');
    return block(assign(kept, read(field(a))), assign(field(a), read(field(b))), assign(field(b), read(kept)));
  };
  const back = block(swap('IPv4.src', 'IPv4.dst'), swap('TCP.sport', 'TCP.dport'), forward('public:outside:in'));
  return {
    programs: new Map([...programs, ['mirror:in', back]]),
    links: new Map([...links, ['public:outside:out', ['mirror:in']]]),
  };
}
