import fc from 'fast-check';
import { BOXES, OUTSIDE, OUTSIDE6, overTunnel, overWire, PROTOCOL } from './tunnel-lab.ts';
import type { TunnelProbe } from './tunnel-probes.ts';

/** Random routes with tunnels, rules and marks for the boxes of the lab; and probes that meet them. */
const box = fc.constantFrom(...BOXES);
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
/** Functions of a box, as the last group of its segments. */
const FUNCTIONS = ['1', '2', '3', '4', '6', '7', '8', 'a', 'b', 'd', 'f', 'dead'] as const;
const lastFunctions = ['4', '6', '7', '4', '6', 'd'] as const;
const sid = (at: number, of: string) => `fd00:${at}::${of}`;
const segment = fc.tuple(box, pick(...FUNCTIONS)).map(([at, of]) => sid(at, of));
const lastSegment = fc.tuple(box, pick(...lastFunctions)).map(([at, of]) => sid(at, of));
/** Frames come out of a segment of layer 2 alone. */
const ways2 = fc
  .tuple(fc.array(segment, { maxLength: 1 }), box)
  .map(([before, last]) => `l2encap segs ${[...before, sid(last, 'd')].join(',')}`);
const segments = fc
  .tuple(fc.array(segment, { maxLength: 2 }), lastSegment)
  .map(([before, last]) => [...before, last].join(','));
const others = (at: number) => pick(...BOXES.filter((one) => one !== at));
const options = `proto ${PROTOCOL}`;

/** The address that stands for all overlay destinations of a number. */
export const overlay = (number: number) => BigInt(0x0a00_0000 + (number << 16) + 5);
export const overlay6 = (number: number) => (0xfd10n << 112n) + (BigInt(number) << 96n) + 5n;
const OVERLAYS = [1, 2, 3, 4] as const;

function way(at: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(`via ${OUTSIDE} dev out onlink`) },
    { weight: 2, arbitrary: others(at).map((to) => `via ${overWire(to)} dev w${to} onlink`) },
    { weight: 2, arbitrary: others(at).map((to) => `via ${overTunnel(to)} dev v${to} onlink`) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(pick('encap', 'encap', 'encap.red'), segments, others(at))
        .map(([mode, list, to]) => `encap seg6 mode ${mode} segs ${list} dev w${to}`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(ways2, others(at)).map(([mode, to]) => `encap seg6 mode ${mode} dev w${to}`),
    },
  );
}

function way6(at: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(`via ${OUTSIDE6} dev out onlink`) },
    { weight: 2, arbitrary: others(at).map((to) => `via fe80::${to + 1} dev w${to} onlink`) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(pick('encap', 'encap', 'encap.red', 'inline'), segments, others(at))
        .map(([mode, list, to]) => `encap seg6 mode ${mode} segs ${list} dev w${to}`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(ways2, others(at)).map(([mode, to]) => `encap seg6 mode ${mode} dev w${to}`),
    },
  );
}

const refused = pick('blackhole', 'unreachable', 'prohibit');
const table = pick('main', 'main', 'main', '200', '201');

function routes(at: number): fc.Arbitrary<string[]> {
  const four = fc
    .tuple(pick(...OVERLAYS), table, way(at), fc.option(pick(1_300, 1_400)))
    .map(([number, to, how]) => `route add 10.${number}.0.0/16 ${how} table ${to} ${options}`);
  const refusal = fc
    .tuple(pick(...OVERLAYS), table, refused, pick(16, 24))
    .map(([number, to, how, length]) => `route add ${how} 10.${number}.0.0/${length} table ${to} metric 9 ${options}`);
  const thrown = pick(...OVERLAYS).map((number) => `route add throw 10.${number}.0.0/24 table 200 ${options}`);
  const six = fc
    .tuple(pick(...OVERLAYS), table, way6(at))
    .map(([number, to, how]) => `-6 route add fd10:${number}::/32 ${how} table ${to} ${options}`);
  const whole = fc.tuple(way(at), table).map(([how, to]) => `route add default ${how} table ${to} ${options}`);
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: four },
      { weight: 1, arbitrary: refusal },
      { weight: 1, arbitrary: thrown },
      { weight: 5, arbitrary: six },
      { weight: 1, arbitrary: whole },
    ),
    { minLength: 6, maxLength: 14 },
  );
}

/** Ways between the boxes, and what the segments of this one do. */
function segmentRoutes(at: number): fc.Arbitrary<string[]> {
  const reach = BOXES.filter((to) => to !== at).map((to) =>
    fc
      .oneof({ weight: 4, arbitrary: fc.constant(to) }, { weight: 1, arbitrary: others(at) })
      .map((by) => `-6 route add fd00:${to}::/64 via fe80::${by + 1} dev w${by} onlink ${options}`),
  );
  const local = (of: string, action: string) =>
    `-6 route add ${sid(at, of)} encap seg6local action ${action} dev out ${options}`;
  const decap4 = fc.oneof(fc.constant(OUTSIDE), others(at).map(overWire), fc.constant('10.1.0.5'));
  const decap6 = fc.oneof(fc.constant(OUTSIDE6), fc.constant('fd10:1::5'));
  return fc
    .tuple(fc.tuple(...reach), decap4, decap6, others(at), segments, segments, pick('main', '201'))
    .map(([ways, to4, to6, next, policy, inserted, dt]) => [
      ...ways,
      `route add default via ${OUTSIDE} dev out onlink metric 50 ${options}`,
      `-6 route add default via ${OUTSIDE6} dev out onlink metric 5000 ${options}`,
      `-6 route add unreachable fd00:${at}::/64 metric 4096 ${options}`,
      // A next hop of its own for what comes out of End.DX4: it is looked up.
      `route add ${OUTSIDE}/32 via ${OUTSIDE} dev out onlink ${options}`,
      ...BOXES.filter((to) => to !== at).map(
        (to) => `route add ${overWire(to)}/32 via ${overWire(to)} dev w${to} onlink ${options}`,
      ),
      local('1', 'End'),
      local('2', `End.X nh6 fd00:${next}::1`),
      local('3', `End.T table ${dt === 'main' ? '254' : '201'}`),
      local('4', `End.DX4 nh4 ${to4}`),
      local('6', `End.DX6 nh6 ${to6 === OUTSIDE6 ? `fd20::${at}` : to6}`),
      `-6 route add fd20::${at} via ${OUTSIDE6} dev out onlink ${options}`,
      local('7', `End.DT6 table ${dt === 'main' ? '254' : '201'}`),
      local('8', 'End'),
      local('d', 'End.DX2 oif out'),
      local('a', `End.B6.Encaps srh segs ${policy}`),
      local('b', `End.B6 srh segs ${inserted}`),
    ]);
}

function rules(at: number): fc.Arbitrary<string[]> {
  const input = pick('', '', 'iif out', ...BOXES.filter((to) => to !== at).map((to) => `iif w${to}`));
  const from = pick('', '', 'from 10.1.0.0/16', 'not from 10.2.0.0/16');
  const to = pick('', '', 'to 10.2.0.0/15', 'to 169.254.0.0/16');
  const mark = pick('', 'fwmark 1', 'fwmark 2/3', 'fwmark 1');
  const ports = pick('', '', 'ipproto udp dport 80-90', 'ipproto tcp');
  const act = pick(
    'lookup 200',
    'lookup 201',
    'lookup 200',
    'prohibit',
    'goto 32766',
    'lookup main suppress_prefixlength 0',
  );
  const one = fc.tuple(from, to, input, mark, ports, act).map((parts) => parts.filter((part) => part !== '').join(' '));
  return fc.array(fc.tuple(one, pick('', '-6 ')), { maxLength: 3 }).map((all) =>
    all.map(([text, six], i) => {
      const fitting = six === '' ? text : text.replace(/(?:not )?from \S+|to \S+/g, '').trim();
      return `${six}rule add priority ${100 * (i + 1)} ${fitting}`;
    }),
  );
}

const mark = pick('meta mark set 1', 'meta mark set 2', 'meta mark set 3', 'drop');
const test = (family: 'ip' | 'ip6') =>
  pick(
    'udp dport 80',
    'udp dport { 53, 443 }',
    family === 'ip' ? 'ip saddr 10.1.0.0/16' : 'ip6 saddr fd10:1::/32',
    family === 'ip' ? 'ip daddr 10.3.0.0/16' : 'ip6 daddr fd10:3::/32',
    'iifname "out"',
    'iifname "w*"',
  );

/** Marks at the entry, and what may go through and out: tunnels pass other hooks than other packets do. */
const ruleset: fc.Arbitrary<string> = fc
  .tuple(
    ...(['ip', 'ip6'] as const).map((family) =>
      fc.record({
        family: fc.constant(family),
        entry: fc.array(fc.tuple(test(family), mark), { maxLength: 2 }),
        others: fc.array(
          fc.tuple(
            pick('forward', 'input', 'output', 'postrouting'),
            pick(
              'udp dport 443',
              'iifname "out"',
              'iifname "w0"',
              'oifname "w1"',
              'oifname "out" meta mark 1',
              'oifname "v*"',
            ),
          ),
          { maxLength: 1 },
        ),
      }),
    ),
  )
  .map((tables) =>
    tables
      .map(({ family, entry, others: rest }) => {
        const chains = [
          `chain entry { type filter hook prerouting priority -150; ${entry.map((rule) => rule.join(' ')).join('; ')}; }`,
          ...rest.map(([hook, what]) => `chain ${hook} { type filter hook ${hook} priority 0; ${what} counter drop; }`),
        ];
        return `table ${family} t {\n  ${chains.join('\n  ').replaceAll('; ;', ';')}\n}\n`;
      })
      .join(''),
  );

export interface LabSettings {
  readonly lines: readonly (readonly string[])[];
  readonly rulesets: readonly string[];
}

export const labSettings: fc.Arbitrary<LabSettings> = fc
  .tuple(...BOXES.map((at) => fc.tuple(segmentRoutes(at), routes(at), rules(at), ruleset)))
  .map((boxes) => ({
    lines: boxes.map(([first, second, third]) => [...first, ...second, ...third]),
    rulesets: boxes.map(([, , , text]) => text),
  }));

export const tunnelProbes = (count: number): fc.Arbitrary<TunnelProbe[]> =>
  fc.array(
    fc
      .record({
        box,
        family: pick<TunnelProbe['family']>('ip', 'ip', 'ip6'),
        from: pick(...OVERLAYS),
        to: pick(...OVERLAYS),
        hops: pick(64, 64, 64, 5, 2, 1),
        tos: pick(0, 0, 0x28, 0x02),
        dport: pick(53, 80, 443, 9),
        payload: pick(8, 8, 8, 1_340, 1_380, 1_472),
        dontFragment: pick(true, true, false),
      })
      .map(({ from, to, payload, ...rest }) => ({
        ...rest,
        // What may be cut into pieces is small enough not to be.
        payload:
          rest.dontFragment || rest.family === 'ip6'
            ? payload - (rest.family === 'ip6' && payload > 1_400 ? 20 : 0)
            : 8,
        src: rest.family === 'ip' ? overlay(from) + 1n : overlay6(from) + 1n,
        dst: rest.family === 'ip' ? overlay(to) : overlay6(to),
      })),
    { minLength: count, maxLength: count },
  );
