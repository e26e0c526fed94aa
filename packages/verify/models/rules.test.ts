import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assign,
  block,
  constant,
  type Destination,
  destinations,
  explore,
  field,
  interpret,
  layout,
  layouts,
  networkOfRules,
  readUpdates,
  readWiring,
} from '../index.ts';

interface Packet {
  readonly proto: number;
  readonly src: number;
  readonly sport: number;
  readonly dst: number;
  readonly dport: number;
}

const number = (dotted: string) => dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Where a packet can end, by walking the lines of the files one after the other: shares no code with the model. */
function bruteForce(updates: string, topology: string, vlans: string) {
  const words = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '));
  const rules = words(updates);
  const wires = words(topology);
  const pools = words(vlans);
  const permits = (list: string, packet: Packet) => {
    const matching = rules.filter((rule) => {
      if (rule[1] !== 'acl' || rule[2] !== list) return false;
      const [low, high, src, srcWild, sportLow, sportHigh, dst, dstWild, dportLow, dportHigh] = rule.slice(6);
      const address = (text: string, wild: string, value: number) =>
        text === 'any' ||
        (BigInt(number(text)) | (wild === 'null' ? 0n : BigInt(number(wild)))) ===
          (BigInt(value) | (wild === 'null' ? 0n : BigInt(number(wild))));
      const port = (from: string, to: string, value: number) =>
        from === 'null' || (Number(from) <= value && value <= (to === 'null' ? 65_535 : Number(to)));
      return (
        Number(low) <= packet.proto &&
        packet.proto <= Number(high) &&
        address(src!, srcWild!, packet.src) &&
        address(dst!, dstWild!, packet.dst) &&
        port(sportLow!, sportHigh!, packet.sport) &&
        port(dportLow!, dportHigh!, packet.dport)
      );
    });
    const best = matching.toSorted((a, b) => Number(b.at(-1)) - Number(a.at(-1)))[0];
    return best?.[5] === 'permit';
  };
  const ends = new Set<string>();
  const seen = new Set<string>();
  const leave = (node: string, port: string, packet: Packet) => {
    const next = wires.filter(([from, out]) => from === node && out === port);
    if (next.length === 0) ends.add(`delivered ${node}:${port}`);
    for (const [, , to, entry] of next) arrive(to!, entry!, packet);
  };
  const arrive = (node: string, entry: string, packet: Packet) => {
    if (seen.has(`${node} ${entry}`)) return;
    seen.add(`${node} ${entry}`);
    const list = /^(\w+_rtr_\w+)_[a-z]+\d+\/\d+_(?:in|out)$/.exec(node)?.[1];
    if (list !== undefined) {
      if (permits(list, packet)) leave(node, 'permit', packet);
      else ends.add(`dropped ${node}:in`);
      return;
    }
    const at = entry === '' ? `${node}:in` : `${node}:${entry}:in`;
    const routes = rules.filter(([, kind, box, address, length]) => {
      const size = 2 ** (32 - Number(length));
      return kind === 'fwd' && box === node && Math.floor(packet.dst / size) === Math.floor(Number(address) / size);
    });
    const best = routes.toSorted((a, b) => Number(b[4]) - Number(a[4]))[0];
    if (best === undefined) {
      ends.add(`dropped ${at}`);
      return;
    }
    const pool = pools.find(([box, vlan]) => box === node && vlan === best[5]);
    for (const wire of pool?.slice(2) ?? [best[5]!]) {
      if (wire === entry) ends.add(`dropped ${at}`);
      else leave(node, wire, packet);
    }
  };
  return (from: string, packet: Packet) => {
    ends.clear();
    seen.clear();
    arrive(from, '', packet);
    return [...ends].sort();
  };
}

function setupOf({ proto, src, sport, dst, dport }: Packet) {
  const kind = proto === 6 ? 'tcp' : proto === 17 ? 'udp' : 'other';
  const put = (name: string, value: number) => assign(field(name), constant(value, field(name).width));
  return block(
    layout(`ipv4/${kind}`)!.setup,
    put('IPv4.proto', proto),
    put('IPv4.src', src),
    put('IPv4.dst', dst),
    ...(kind === 'other' ? [] : [put('TCP.sport', sport), put('TCP.dport', dport)]),
  );
}

function load(updates: string, topology: string, vlans: string) {
  const file = (path: string, text: string) => ({ path, text });
  const wiring = readWiring(file('topo.txt', topology), file('vlan.txt', vlans));
  return networkOfRules('rules', readUpdates(file('updates', updates)), 'updates', wiring);
}

describe('a network of routes, access lists and wires', () => {
  const topology =
    'a_rtr te1/1 b_rtr_9_te1/1_in inport\nb_rtr_9_te1/1_in permit b_rtr te1/1\nb_rtr te1/1 a_rtr te1/1\n';
  const vlans = 'a_rtr vlan7 te1/1 gi2/2\nb_rtr vlan8 te1/1 gi3/3\n';
  const rules = `+ fwd a_rtr 167772160 8 vlan7 8
+ fwd b_rtr 167772160 8 vlan8 8
+ fwd b_rtr 167772161 32 self 32
+ acl b_rtr_9 access-list 9 deny 6 6 any null null null any null 25 25 9
+ acl b_rtr_9 access-list 9 permit 0 255 any null null null 10.0.0.0 0.255.0.255 null null 8
`;

  it('says where packets go, and which line says so', () => {
    const network = load(rules, topology, vlans);
    const { paths } = explore(network, {
      port: 'a_rtr:in',
      layouts: layouts.filter(({ name }) => name === 'ipv4/tcp'),
    });
    expect(new Set(paths.map(({ outcome, port }) => `${outcome} ${port}`))).toEqual(
      new Set([
        'delivered a_rtr:gi2/2',
        'delivered b_rtr:self',
        'delivered b_rtr:gi3/3',
        'dropped b_rtr:te1/1:in',
        'dropped b_rtr_9_te1/1_in:in',
        'dropped a_rtr:in',
      ]),
    );
    expect(network.boxes.get('b_rtr_9_te1/1_in')).toMatchObject({ source: { file: 'updates', line: 4 } });
  });

  it('is what its lines say, packet by packet', () => {
    const expected = bruteForce(rules, topology, vlans);
    const network = load(rules, topology, vlans);
    const address = fc.constantFrom(0x0a000001, 0x0a010002, 0x0a000100, 0x0b000001);
    const packets = fc.record({
      proto: fc.constantFrom(6, 17, 47),
      src: address,
      dst: address,
      sport: fc.nat(65_535),
      dport: fc.constantFrom(24, 25, 26),
    });
    fc.assert(
      fc.property(packets, (packet) => {
        const ends = interpret(network, 'a_rtr:in', setupOf(packet)).map(({ outcome, port }) => `${outcome} ${port}`);
        expect([...new Set(ends)].sort()).toEqual(expected('a_rtr', packet));
      }),
    );
  });
});

const folder = fileURLToPath(
  new URL('../../../../shared/data/verification/XJTU-NetVerify+apkeep/networks/stanford/', import.meta.url),
);
const reason = existsSync(folder) ? '' : ' (skipped: the data set of APKeep is not there)';

describe(`the Stanford backbone from an access router${reason}`, () => {
  it.skipIf(reason !== '')(
    'is what its lines say, packet by packet',
    () => {
      const text = (name: string) => readFileSync(folder + name, 'utf8');
      const inserted = text('updates')
        .split('\n')
        .filter((line) => line.startsWith('+'))
        .join('\n');
      const files = [inserted, text('topo.txt'), text('vlan.txt')] as const;
      const network = load(...files);
      const expected = bruteForce(...files);
      const from = 'soza_rtr';
      const wiring = readWiring({ path: 't', text: files[1] }, { path: 'v', text: files[2] });
      const found = destinations(
        readUpdates({ path: 'u', text: inserted }).map(({ rule }) => rule),
        wiring,
        from,
      );
      expect(found.length).toBeGreaterThan(100);
      const endOf = ({ outcome, end: { node, port } }: Destination) =>
        outcome === 'delivered'
          ? `delivered ${node}:${port}`
          : `dropped ${wiring.lists.has(node) || port === '' ? `${node}:in` : `${node}:${port}:in`}`;
      const plain = ({
        destination,
        source,
        protocol,
        sourcePort,
        destinationPort,
      }: Destination['packet']): Packet => ({
        proto: protocol,
        src: source,
        sport: sourcePort,
        dst: destination,
        dport: destinationPort,
      });
      for (const each of found) expect(expected(from, plain(each.packet))).toContain(endOf(each));
      const prefixes = inserted
        .split('\n')
        .filter((line) => line.startsWith('+ fwd'))
        .map((line) => Number(line.split(' ')[3]));
      const address = fc
        .tuple(fc.constantFrom(...prefixes), fc.nat(3))
        .map(([prefix, more]) => (prefix + more) % 2 ** 32);
      const packets = fc.record({
        proto: fc.constantFrom(6, 17, 47),
        src: address,
        dst: address,
        sport: fc.nat(65_535),
        dport: fc.oneof(fc.constantFrom(22, 25, 80, 135, 445, 515, 8998), fc.nat(65_535)),
      });
      fc.assert(
        fc.property(packets, (packet) => {
          const wanted = expected(from, packet);
          const header = {
            protocol: packet.proto,
            source: packet.src,
            sourcePort: packet.sport,
            destination: packet.dst,
            destinationPort: packet.dport,
          };
          const reached = found.filter(({ has }) => has(header)).map(endOf);
          expect([...new Set(reached)].sort()).toEqual(wanted);
          // The interpreter follows each way by itself, so only the first ports of all.
          const ends = interpret(network, `${from}:in`, setupOf(packet), { hops: 8 })
            .filter(({ outcome }) => outcome === 'delivered' || outcome === 'dropped')
            .map(({ outcome, port }) => `${outcome} ${port}`);
          for (const end of ends) expect(wanted).toContain(end);
        }),
        { numRuns: 40 },
      );
    },
    60_000,
  );
});
