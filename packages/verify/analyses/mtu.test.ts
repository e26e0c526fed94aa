import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, field, layouts, mtu, parseFilter, parseNetwork, printNetwork } from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const tcp6 = layouts.filter(({ name }) => name === 'ipv6/tcp');

/** What happens between two links. */
type Box = 'pass' | 'encap' | 'encap df' | 'decap' | 'fragment' | 'clamp';
interface Step {
  readonly box: Box;
  /** Of the link behind the box. */
  readonly mtu: number | undefined;
}

const elements: Readonly<Record<Box, string>> = {
  pass: 'Null()',
  encap: 'IPEncap(4, 192.0.2.1, 192.0.2.2)',
  'encap df': 'IPEncap(4, 192.0.2.1, 192.0.2.2, DF true)',
  decap: 'StripIPHeader() -> MarkIPHeader()',
  fragment: 'IPFragmenter(90)',
  clamp: 'ClampMTU(95)',
};

function chain(steps: readonly Step[]) {
  const files = steps.map(({ box }, i) => ({
    path: `b${i}.click`,
    text: `in :: FromDevice(eth0) -> MarkIPHeader() -> ${elements[box]} -> out :: ToDevice(eth1);\n`,
  }));
  const links = steps
    .map(
      (step, i) =>
        `b${i}:out -> ${i + 1 < steps.length ? `b${i + 1}:in` : 'end:x'}${step.mtu === undefined ? '' : ` mtu ${step.mtu}`}\n`,
    )
    .join('');
  return assemble('chain', [...files, { path: 'l.links', text: links }]).network;
}

/** By hand: a packet is its headers, each with its length and whether it may be fragmented; the outermost last. */
function isLost(steps: readonly Step[], length: number, df: boolean, whole: boolean): boolean {
  let headers = [{ length, df }];
  for (const { box, mtu: most } of steps) {
    const outer = headers.at(-1)!;
    if (box === 'encap' || box === 'encap df')
      headers = [...headers, { length: outer.length + 20, df: box === 'encap df' }];
    // What is in a fragment is not a whole packet: networks with a fragment of a tunnel are left out.
    if (box === 'decap') headers = headers.slice(0, -1);
    const narrowest = [box === 'fragment' ? 90 : Infinity, box === 'clamp' ? 95 : Infinity, most ?? Infinity];
    for (const [i, bytes] of narrowest.entries()) {
      const now = headers.at(-1)!;
      if (now.length <= bytes) continue;
      if (i === 1 || now.df || (whole && i === 2)) return true;
      headers = [...headers.slice(0, -1), { length: bytes, df: false }];
    }
  }
  return false;
}

const step = fc.record({
  box: fc.constantFrom<Box>('pass', 'encap', 'encap df', 'fragment', 'clamp'),
  mtu: fc.option(fc.integer({ min: 60, max: 140 }), { nil: undefined }),
});
/** Tunnels end where they began: what is put in front is taken away by as many boxes at the end. */
const chains = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([steps, ends]): readonly Step[] => {
    const depth = steps.filter(({ box }) => box.startsWith('encap')).length;
    return ends ? [...steps, ...Array.from({ length: depth }, (): Step => ({ box: 'decap', mtu: undefined }))] : steps;
  });

describe('the MTU', () => {
  it('is kept by the packets by which arithmetic says so, with what tunnels add', () => {
    const seen = { holds: 0, violated: 0 };
    fc.assert(
      fc.property(chains, fc.boolean(), fc.boolean(), (steps, df, whole) => {
        const network = chain(steps);
        const start = { port: 'b0:in:0', layouts: tcp, assume: parseFilter(`ip[6] & 0x40 == ${df ? 64 : 0}`) };
        for (const bytes of [50, 88, 93, 100, 120]) {
          const verdict = mtu(network, [start], { bytes, whole });
          let shortest: number | undefined;
          for (let n = 40; n <= bytes && shortest === undefined; n += 1) if (isLost(steps, n, df, whole)) shortest = n;
          expect(verdict.answer).toBe(shortest === undefined ? 'holds' : 'violated');
          seen[shortest === undefined ? 'holds' : 'violated'] += 1;
          const lost = verdict.paths.flatMap((path) => Number(path.witness()!.sent.values.get('IPv4.length')));
          for (const n of lost.filter((each) => each >= 40)) expect(isLost(steps, n, df, whole)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  const link =
    '3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1280 qdisc noqueue state UP mode DEFAULT group default\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n';
  const { network, readings } = assemble('net', [
    { path: 'r.routes', text: 'default via 192.0.2.1 dev eth1\n10.0.0.0/8 dev eth2\n' },
    { path: 'r.link', text: `2: eth0: <BROADCAST,UP> mtu 1400 qdisc noqueue state UP\n${link}` },
    { path: 's.rt6', text: '2001:db8::/32 dev eth0 metric 1024\n' },
    { path: 'l.links', text: 's:eth0 -> far:x mtu 1300\n' },
  ]);

  it('is that of `ip link`, and names its line', () => {
    expect(readings.find(({ file }) => file === 'r.link')!.lines).toMatchObject({ used: 3, 'not understood': 0 });
    const narrow = mtu(network, [{ port: 'r:eth2:in', layouts: tcp }]);
    expect(narrow.answer).toBe('violated');
    expect(narrow.rules).toContainEqual(expect.objectContaining({ file: 'r.link', line: 2 }));
    expect(narrow.paths[0]!.ranges(field('IPv4.length'))).toEqual([[1281n, 1500n]]);
    expect(mtu(network, [{ port: 'r:eth2:in', layouts: tcp, assume: parseFilter('dst net 10.0.0.0/8') }]).answer).toBe(
      'holds',
    );
    expect(mtu(network, [{ port: 'r:eth2:in', layouts: tcp }], { bytes: 1280 }).answer).toBe('holds');
  });

  it('stops packets of IPv6 whatever their flags, and counts their header', () => {
    const start = { port: 's:in', layouts: tcp6 };
    const [path] = mtu(network, [start]).paths;
    expect(path!.ranges(field('IPv6.length'))).toEqual([[1261n, 1460n]]);
    expect(mtu(network, [start], { bytes: 1300 }).answer).toBe('holds');
  });

  it('is part of the network as text', () => {
    expect(parseNetwork({ path: 'n.sefl', text: printNetwork(network) }).mtus).toEqual(network.mtus);
  });
});
