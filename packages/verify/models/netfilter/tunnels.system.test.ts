import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble, type Assembled } from '../../assemble/assemble.ts';
import { interpret, type Read } from '../../engine/interpret.ts';

import { explore } from '../../engine/explore.ts';
import { all } from '../../ir/expression.ts';
import { fieldIs, layout } from '../../ir/layouts.ts';
import { readInterfaces } from '../../readers/interfaces.ts';
import { readNeighbourTable } from '../../readers/linux/neighbours.ts';
import { readLinuxRoutes } from '../../readers/linux/routes.ts';
import { readPolicyRules } from '../../readers/linux/rules.ts';
import { missing } from './testing/lab.ts';
import { bitsOf, bytesOfProbe, describePacket, numberIn, SPORT, type TunnelProbe } from './testing/tunnel-probes.ts';
import { labSettings, tunnelProbes } from './testing/tunnel-random.ts';
import { TunnelLab } from './testing/tunnel-lab.ts';

const reason = missing(['ip', 'python3', 'nft', 'sysctl']);
const PROBES = 60;
/** One in so many probes is also sent as a symbolic packet. */
const EXPLORED = 6;
const RUNS = 4;

describe.skipIf(reason !== undefined)(
  `tunnels against the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const lab = new TunnelLab();
    let first = 1;
    beforeAll(() => lab.start());
    afterAll(() => lab[Symbol.asyncDispose]());

    async function observe(probes: readonly TunnelProbe[]): Promise<ReadonlyMap<number, string>> {
      probes.forEach((probe, i) => lab.send(probe.box, bytesOfProbe(probe, first + i)));
      const seen = new Map<number, string>();
      for (const { box, packet } of await lab.collect(80)) {
        const id = numberIn(packet);
        if (id !== undefined) seen.set(id, `${box}: ${describePacket(bitsOf(packet))!.text}`);
      }
      return seen;
    }

    it('sends the same packets to the same places', { timeout: 120_000 }, async () => {
      let delivered = 0;
      let tunnelled = 0;
      await fc.assert(
        fc.asyncProperty(labSettings, tunnelProbes(PROBES), async ({ lines, rulesets }, probes) => {
          lab.names.forEach((_name, box) => lab.configure(box, lines[box]!, rulesets[box]!));
          const made = assemble('lab', lab.dump());
          const strange = made.readings.filter((each) => each.lines['not understood'] > 0);
          expect(
            strange.map(({ file, remarks }) => [file, remarks.filter(({ fate }) => fate === 'not understood')]),
          ).toEqual([]);
          const seen = await observe(probes);
          for (const [i, probe] of probes.entries()) {
            const predicted = predict(made, lab, probe);
            const observed = seen.get(first + i);
            expect(observed, `${told(probe)}\n${predicted.told}`).toBe(predicted.out);
            if (observed !== undefined) delivered += 1;
            if (predicted.tunnelled) tunnelled += 1;
            if (i % EXPLORED === 0) expect(explored(made, lab, probe), told(probe)).toEqual(predicted.delivered);
          }
          first = (first + PROBES) % 60_000;
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      // The test is about something.
      expect(delivered).toBeGreaterThan(RUNS * 2);
      expect(tunnelled).toBeGreaterThan(RUNS * 2);
    });

    it('is told the same in text and in JSON', () => {
      const files = lab.dumpBoth();
      for (const { path, text, json } of files) {
        const [plain, listed] = [text, json].map((one) => valueOf(path, one));
        expect(listed, path).toEqual(plain);
      }
      expect(files.length).toBe(18);
    });
  },
);

/** Without lines; and without what JSON does not tell: names of namespaces, and the tables of two actions. */
function valueOf(path: string, text: string): unknown {
  const file = { path, text };
  const read = path.includes('.routes')
    ? readLinuxRoutes(file).value.filter(({ hops }) => {
        const [hop] = hops;
        return hop?.encapsulation?.kind !== 'seg6local' || hop.encapsulation.argument.table === undefined;
      })
    : path.includes('.rule')
      ? readPolicyRules(file).value
      : path.endsWith('.neigh')
        ? readNeighbourTable(file).value
        : readInterfaces(file).value;
  return JSON.parse(
    JSON.stringify(read, (key, value: unknown) => {
      if (key === 'source' || key === 'namespace') return undefined;
      return typeof value === 'bigint' ? String(value) : value;
    }),
  );
}

const told = (probe: TunnelProbe) =>
  JSON.stringify(probe, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value));

function fieldsOfProbe(probe: TunnelProbe): Readonly<Record<string, bigint>> {
  return {
    'IPv4.dscp': BigInt(probe.tos >> 2),
    'IPv4.ecn': BigInt(probe.tos & 3),
    'IPv4.length': BigInt(28 + probe.payload),
    'IPv4.flags': probe.dontFragment ? 2n : 0n,
    'IPv4.ttl': BigInt(probe.hops),
    'IPv4.src': probe.src,
    'IPv4.dst': probe.dst,
    'IPv6.trafficClass': BigInt(probe.tos),
    'IPv6.flowLabel': 0x123n,
    'IPv6.length': BigInt(8 + probe.payload),
    'IPv6.hopLimit': BigInt(probe.hops),
    'IPv6.src': probe.src,
    'IPv6.dst': probe.dst,
    'UDP.sport': BigInt(SPORT),
    'UDP.dport': BigInt(probe.dport),
    'UDP.length': BigInt(8 + probe.payload),
  };
}

function predict({ network }: Assembled, lab: TunnelLab, probe: TunnelProbe) {
  const six = probe.family === 'ip6';
  const known = fieldsOfProbe(probe);
  const fresh = (name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[]) =>
    known[name] ?? ranges[0]![0];
  const setup = layout(six ? 'ipv6/udp' : 'ipv4/udp')!.setup;
  const [path, ...more] = interpret(network, `${lab.names[probe.box]}:out:in`, setup, { fresh, hops: 2_000 });
  expect(more).toEqual([]);
  const trace = path!.hops.map(
    ({ port, because }) =>
      `  ${port} ${because.map(({ file, line, text }) => `${file.replace(/^[^.]*/, '')}:${line} ${text ?? ''}`).join(' | ')}`,
  );
  const description = `${path!.outcome} at ${path!.port} ${path!.why ?? ''} ${path!.doubts.join()}\n${trace.join('\n')}`;
  const box = lab.names.findIndex((name) => path!.port === `${name}:out:out`);
  const tunnelled = path!.hops.some(({ port }) => port.includes(':tunnel:'));
  const ended = { told: description, tunnelled, delivered: path!.outcome === 'delivered' ? [path!.port] : [] };
  if (path!.outcome !== 'delivered' || box < 0) return { ...ended, out: undefined };
  return { ...ended, out: `${box}: ${describePacket(bitsAt(path!.read))?.text}` };
}

/** Where the engine says that packets like the probe are delivered. */
function explored({ network }: Assembled, lab: TunnelLab, probe: TunnelProbe): readonly string[] {
  const six = probe.family === 'ip6';
  const values = Object.entries(fieldsOfProbe(probe)).filter(
    ([name]) => name.startsWith(six ? 'IPv6' : 'IPv4') || name.startsWith('UDP'),
  );
  const assume = all(...values.map(([name, value]) => fieldIs(name, value)));
  const start = { port: `${lab.names[probe.box]}:out:in`, layouts: [layout(six ? 'ipv6/udp' : 'ipv4/udp')!], assume };
  const { paths } = explore(network, start, { keepDropped: false });
  return paths.filter(({ outcome }) => outcome === 'delivered').map(({ port }) => port);
}

function bitsAt(read: Read) {
  return (offset: number, width: number) => read({ kind: 'field', tag: 'L3', offset, width });
}
