import fc from 'fast-check';

export const TABLES = 4;
export const PORTS = ['p1', 'p2', 'p3'] as const;

const few = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const macs = few('02:00:00:00:00:01', '02:00:00:00:00:02', '01:00:5e:00:00:01');
const addresses = few('10.0.0.1', '10.0.0.2', '10.0.1.1', '192.0.2.1');
const prefixes = few('10.0.0.0/24', '10.0.0.0/8', '10.0.0.1', '0.0.0.1/0.0.0.1');
const portsOf = few('80', '81', '0x50/0xfff0', '0x0/0xf');

/** Terms of a match, which may not fit together: then OVS refuses the flow. */
const ofFrame = fc.oneof(
  macs.map((mac) => `dl_src=${mac}`),
  macs.map((mac) => `dl_dst=${mac}`),
  fc.constant('dl_dst=01:00:00:00:00:00/01:00:00:00:00:00'),
  few('dl_vlan=5', 'dl_vlan=7,dl_vlan_pcp=3', 'vlan_tci=0x0000', 'vlan_tci=0x1005/0x1fff', 'vlan_tci=0x1000/0x1000'),
  few('in_port=1', 'in_port=2', 'reg0=1', 'reg0=0x2/0x2', 'reg1=0x50', 'metadata=0x3/0xff'),
);
const ofIp = fc.oneof(
  prefixes.map((prefix) => `nw_src=${prefix}`),
  prefixes.map((prefix) => `nw_dst=${prefix}`),
  few('nw_tos=32', 'nw_ecn=1', 'nw_ttl=64', 'nw_ttl=1', 'ip_frag=no', 'ip_frag=later', 'ip_frag=yes'),
);
const ofTransport = portsOf.chain((port) => few(`tp_src=${port}`, `tp_dst=${port}`));
const optional = (term: fc.Arbitrary<string>) => fc.option(term, { nil: '' });
const match = fc.oneof(
  fc.tuple(optional(ofFrame), optional(ofFrame)),
  fc.tuple(few('ip'), optional(ofFrame), ofIp),
  fc.tuple(few('tcp', 'udp'), optional(ofFrame), optional(ofIp), ofTransport),
);

const port = few('1', '2', '3', 'LOCAL', 'IN_PORT', 'FLOOD', 'ALL');
const change = fc.oneof(
  macs.map((mac) => `mod_dl_dst:${mac}`),
  macs.map((mac) => `set_field:${mac}->eth_src`),
  addresses.map((address) => `mod_nw_dst:${address}`),
  addresses.map((address) => `mod_nw_src:${address}`),
  few('mod_tp_dst:8080', 'mod_tp_src:81', 'mod_nw_tos:32', 'dec_ttl', 'mod_vlan_vid:5', 'mod_vlan_pcp:3', 'strip_vlan'),
  few('load:0x1->NXM_NX_REG0[]', 'load:0x1->NXM_NX_REG0[1]', 'set_field:0x50->reg1', 'load:0x3->OXM_OF_METADATA[0..7]'),
  few('move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]', 'move:NXM_NX_REG1[0..15]->NXM_NX_REG0[16..31]'),
  few('move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]', 'move:NXM_OF_ETH_DST[0..15]->NXM_NX_REG1[0..15]'),
);

function action(table: number): fc.Arbitrary<string> {
  const later =
    table + 1 < TABLES ? [fc.integer({ min: table + 1, max: TABLES - 1 }).map((to) => `resubmit(,${to})`)] : [];
  const elsewhere = table + 1 < TABLES ? [few('1', '2', '3').map((from) => `resubmit(${from},${table + 1})`)] : [];
  return fc.oneof(
    port.map((to) => `output:${to}`.replace(/output:([A-Z]+)/, '$1')),
    change,
    few('output:NXM_NX_REG0[0..15]', 'output:reg1[0..1]'),
    ...later,
    ...later,
    ...elsewhere,
  );
}

const flow = (at: number) =>
  fc
    .tuple(
      match,
      fc.array(action(at), { maxLength: 4 }),
      fc.option(fc.integer({ min: at + 1, max: TABLES }), { nil: TABLES }),
    )
    .map(([terms, actions, to]) => {
      const all = to < TABLES ? [...actions.filter((each) => !each.startsWith('mod_')), `goto_table:${to}`] : actions;
      return { table: at, match: terms.filter(Boolean).join(','), actions: all.join(',') || 'drop' };
    });

/** Priorities differ: which of two equal ones OVS takes is not said. */
export const flowTables = fc
  .array(fc.integer({ min: 0, max: TABLES - 1 }).chain(flow), { minLength: 4, maxLength: 24 })
  .map((flows) =>
    flows.map(
      ({ table, match: terms, actions }, i) =>
        `cookie=${i + 1},table=${table},priority=${100 + i}${terms === '' ? '' : `,${terms}`},actions=${actions}`,
    ),
  );

export interface Probe {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly src: string;
  readonly dst: string;
  readonly ipSrc: string;
  readonly ipDst: string;
  readonly tos: number;
  readonly ttl: number;
  readonly tci: number;
  readonly frag: 'no' | 'first' | 'later';
  readonly sport: number;
  readonly dport: number;
}

export const probe: fc.Arbitrary<Probe> = fc.record({
  port: fc.integer({ min: 1, max: 3 }),
  protocol: few('tcp', 'udp'),
  src: macs.filter((mac) => mac.startsWith('02')),
  dst: macs,
  ipSrc: addresses,
  ipDst: addresses,
  tos: few(0, 32, 33),
  ttl: few(1, 2, 64),
  tci: few(0, 0, 0x1005, 0x7007, 0x1000),
  frag: few('no', 'no', 'no', 'first', 'later'),
  sport: few(80, 81, 1024),
  dport: few(80, 81, 0x5f, 16),
});
