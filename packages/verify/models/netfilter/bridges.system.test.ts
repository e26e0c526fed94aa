import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../assemble/assemble.ts';
import { interpret } from '../../engine/interpret.ts';
import { layout } from '../../ir/layouts.ts';
import { missing, Prober, wired } from './testing/lab.ts';
import { frameOf, type Probe, probeOf } from './testing/packets.ts';

/**
 * A bridge of four ports with an address of its own, and a fifth interface to which the box routes, against the kernel: where
 * do frames come out, and in how many copies?
 */
const reason = missing(['ip', 'bridge', 'python3', 'sysctl']);
const PORTS = [0, 1, 2, 3];
const ROUTED = 4;
const BRIDGE = '02:00:00:00:0b:00';
const station = (i: number) => `02:00:00:00:aa:0${i}`;
const portMac = (i: number) => `02:00:00:00:0c:0${i}`;
const address = (text: string) => text.split('.').reduce((all, part) => all * 256 + Number(part), 0);

const setups = fc.record({
  /** Behind which port each of three stations is; none: nobody knows. */
  stations: fc.array(fc.option(fc.constantFrom(...PORTS), { nil: undefined }), { minLength: 3, maxLength: 3 }),
  blocked: fc.uniqueArray(fc.constantFrom(...PORTS), { maxLength: 2 }),
  down: fc.option(fc.constantFrom(...PORTS), { nil: undefined }),
});
const sent = fc.record({
  port: fc.constantFrom(...PORTS, ROUTED),
  to: fc.constantFrom(station(0), station(1), station(2), BRIDGE, 'ff:ff:ff:ff:ff:ff', '02:00:00:00:dd:dd'),
  dst: fc.constantFrom('10.7.0.10', '10.7.0.11', '10.7.0.1', '10.8.0.9', '10.7.0.255', '192.0.2.1'),
});

describe.skipIf(reason !== undefined)(
  `bridges of the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const id = `${process.pid}-${Date.now() % 100_000}`;
    const [box, outside] = [`sft-vb-${id}`, `sft-vc-${id}`];
    const probers: Prober[] = [];
    const run = (...argv: string[]) => execFileSync(argv[0]!, argv.slice(1), { encoding: 'utf8' });
    const ip = (...words: string[]) => run('ip', '-n', box, ...words);
    let number = 0;

    beforeAll(async () => {
      for (const name of [box, outside]) {
        run('ip', 'netns', 'add', name);
        run(
          'ip',
          'netns',
          'exec',
          name,
          'sysctl',
          '-qw',
          'net.ipv6.conf.all.disable_ipv6=1',
          'net.ipv6.conf.default.disable_ipv6=1',
        );
      }
      run(
        'ip',
        'netns',
        'exec',
        box,
        'sysctl',
        '-qw',
        'net.ipv4.ip_forward=1',
        'net.ipv4.conf.all.rp_filter=0',
        'net.ipv4.conf.all.send_redirects=0',
        'net.ipv4.conf.default.send_redirects=0',
        'net.ipv4.icmp_echo_ignore_all=1',
      );
      ip('link', 'add', 'br0', 'address', BRIDGE, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
      for (const i of [...PORTS, ROUTED]) {
        ip('link', 'add', `e${i}`, 'type', 'veth', 'peer', 'name', `o${i}`, 'netns', outside);
        ip('link', 'set', `e${i}`, 'address', portMac(i), ...(i === ROUTED ? [] : ['master', 'br0']), 'up');
        run('ip', '-n', outside, 'link', 'set', `o${i}`, 'up');
        if (i !== ROUTED) run('bridge', '-n', box, 'link', 'set', 'dev', `e${i}`, 'learning', 'off');
      }
      ip('link', 'set', 'br0', 'up');
      ip('address', 'add', '10.7.0.1/24', 'dev', 'br0');
      ip('address', 'add', '10.8.0.1/24', 'dev', `e${ROUTED}`);
      for (const i of [0, 1, 2])
        ip('neigh', 'add', `10.7.0.1${i}`, 'lladdr', station(i), 'dev', 'br0', 'nud', 'permanent');
      ip('neigh', 'add', '10.8.0.9', 'lladdr', '02:00:00:00:ee:09', 'dev', `e${ROUTED}`, 'nud', 'permanent');
      probers.push(
        new Prober(
          outside,
          [...PORTS, ROUTED].map((i) => `o${i}`),
        ),
        new Prober(box, ['local']),
      );
      for (const each of probers) await each.ready();
      await wired(
        box,
        [...PORTS, ROUTED].map((i) => `e${i}`),
      );
    }, 60_000);

    afterAll(async () => {
      for (const each of probers) await each.end();
      for (const name of [box, outside]) {
        try {
          run('ip', 'netns', 'delete', name);
        } catch {
          // It was never made.
        }
      }
    });

    const batch = (program: 'ip' | 'bridge', lines: readonly string[]) =>
      execFileSync(program, ['-n', box, '-batch', '-'], {
        input: `${lines.join('\n')}\n`,
        stdio: ['pipe', 'ignore', 'pipe'],
      });

    async function configure({ stations, blocked, down }: typeof setups extends fc.Arbitrary<infer T> ? T : never) {
      const up = PORTS.filter((i) => i !== down);
      batch(
        'ip',
        PORTS.map((i) => `link set e${i} ${i === down ? 'down' : 'up'}`),
      );
      // The kernel notices in the background that a wire is whole again: only then it takes frames at either end, lets the
      // port forward, and with it all others that were set to blocking.
      await wired(
        box,
        up.map((i) => `e${i}`),
      );
      await wired(
        outside,
        up.map((i) => `o${i}`),
      );
      const known = run('bridge', '-n', box, 'fdb', 'show').split('\n');
      batch('bridge', [
        // Without a spanning tree, a bridge unblocks ports at once. It leaves those alone that are disabled.
        ...up.map((i) => `link set dev e${i} state ${blocked.includes(i) ? 0 : 3}`),
        ...known.flatMap((line) => {
          const [mac = '', , device = ''] = line.split(' ');
          return mac.startsWith('02:00:00:00:aa') ? [`fdb del ${mac} dev ${device} master`] : [];
        }),
        ...stations.flatMap((port, i) =>
          port === undefined ? [] : [`fdb add ${station(i)} dev e${port} master static`],
        ),
      ]);
    }

    const network = (...ipShow: readonly string[]) =>
      assemble('bridged', [
        { path: 'b.addr', text: ip(...ipShow, '-d', 'address', 'show') },
        { path: 'b.fdb', text: run('bridge', '-n', box, 'fdb', 'show') },
        { path: 'b.routes', text: ip('-4', '-d', 'route', 'show', 'table', 'all') },
        { path: 'b.neigh', text: ip('neigh', 'show', 'nud', 'permanent') },
        { path: 'b.sysctl', text: 'net.ipv4.ip_forward = 1\n' },
      ]);

    const bits = (mac: string) => BigInt(`0x${mac.replaceAll(':', '')}`);

    function predicted(made: ReturnType<typeof network>, probe: Probe, to: string): readonly string[] {
      const known: Readonly<Record<string, bigint>> = {
        'Ether.dst': bits(to),
        'Ether.src': bits(station(9)),
        'IPv4.src': BigInt(probe.src),
        'IPv4.dst': BigInt(probe.dst),
        'IPv4.ttl': BigInt(probe.ttl),
        'IPv4.length': 36n,
        'UDP.sport': BigInt(probe.sport),
        'UDP.dport': BigInt(probe.dport),
      };
      const paths = interpret(made.network, `b:e${probe.port}:in`, layout('ether/ipv4/udp')!.setup, {
        fresh: (name) => known[name] ?? 0n,
      });
      expect(paths.flatMap(({ doubts }) => doubts)).toEqual([]);
      return paths
        .flatMap(({ outcome, port }) =>
          outcome === 'delivered' ? [/^b:(?:e(\d)|local):out$/.exec(port)![1] ?? 'local'] : [],
        )
        .toSorted();
    }

    it('send copies of the same frames out of the same ports', { timeout: 60_000 }, async () => {
      const seen = { none: 0, one: 0, more: 0 };
      await fc.assert(
        fc.asyncProperty(setups, fc.array(sent, { minLength: 30, maxLength: 30 }), async (setup, frames) => {
          await configure(setup);
          const made = network();
          expect(
            made.readings.flatMap(({ remarks }) => remarks.filter(({ fate }) => fate === 'not understood')),
          ).toEqual([]);
          const probes = frames.map(({ port, to: drawn, dst }) => {
            number += 1;
            const to = port === ROUTED && drawn === BRIDGE ? portMac(ROUTED) : drawn;
            const src = address(port === ROUTED ? '10.8.0.9' : '10.7.0.99');
            const udp = { protocol: 'udp', sport: 20_000, dport: 9, flags: 0, type: 0 } as const;
            const probe: Probe = { port, src, dst: address(dst), ttl: 64, tos: 0, ...udp, id: number };
            const isDown = port === setup.down;
            if (!isDown)
              probers[0]!.write(`send o${port} ${Buffer.from(frameOf(probe, station(9), to)).toString('hex')}\n`);
            return { probe, to, isDown };
          });
          const came = new Map<number, string[]>();
          for (const prober of probers) {
            for (const line of await prober.flush(40)) {
              const [where = '', hex = ''] = line.split(' ');
              const found = probeOf(Buffer.from(hex, 'hex'), 0);
              if (found !== undefined)
                came.set(found.id, [...(came.get(found.id) ?? []), where === 'local' ? where : where.slice(1)]);
            }
          }
          for (const { probe, to, isDown } of probes) {
            const expected = isDown ? [] : predicted(made, probe, to);
            expect((came.get(probe.id) ?? []).toSorted(), JSON.stringify({ setup, probe, to })).toEqual(expected);
            seen[expected.length === 0 ? 'none' : expected.length === 1 ? 'one' : 'more'] += 1;
          }
        }),
        { numRuns: 8, interruptAfterTimeLimit: 40_000, endOnFailure: true },
      );
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
    });

    it('are told alike as text and as JSON', async () => {
      await configure({ stations: [0, 1, 2], blocked: [2], down: 3 });
      const withoutSource = (value: unknown) =>
        JSON.stringify(value, (key, each: unknown) =>
          key === 'source' ? undefined : typeof each === 'bigint' ? `${each}` : each instanceof Map ? [...each] : each,
        );
      expect(withoutSource(network('-j').network.programs)).toBe(withoutSource(network().network.programs));
    });
  },
);
