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

const written = fc.oneof(
  few('output:1', 'output:2', 'output:3', 'group:1', 'group:2', 'dec_ttl', 'pop_vlan', 'push_vlan:0x8100'),
  few('set_field:02:00:00:00:00:02->eth_dst', 'set_field:02:00:00:00:00:01->eth_src'),
  few(
    'set_field:02:00:00:00:00:00/ff:00:00:00:00:00->eth_dst',
    'set_field:00:00:00:00:00:03/00:00:00:00:00:ff->eth_dst',
  ),
  few('set_field:10.0.0.2->ip_dst', 'set_field:192.0.2.1->ip_src', 'set_field:81->tcp_dst', 'set_field:4103->vlan_vid'),
);
const applied = few('output:1', 'output:3', 'set_field:02:00:00:00:00:01->eth_src', 'set_field:0x1->reg0');

/** Flows that write into action sets, clear them, and go on. */
export const actionSetTables = fc
  .array(
    fc.record({
      table: fc.integer({ min: 0, max: 2 }),
      match: few('', '', 'tcp', 'udp', 'tcp,tp_dst=80', 'ip,nw_src=10.0.0.0/24', 'ip,nw_ecn=1', 'in_port=1', 'reg0=1'),
      apply: fc.array(applied, { maxLength: 2 }),
      clear: fc.nat(4).map((n) => n === 0),
      write: fc.array(written, { maxLength: 3 }),
      further: fc.nat(4).map((n) => n > 0),
    }),
    { minLength: 4, maxLength: 14 },
  )
  .map((flows) =>
    flows.map(({ table, match: terms, apply, clear, write, further }, i) => {
      const actions = [
        ...apply,
        ...(clear ? ['clear_actions'] : []),
        ...(write.length === 0 ? [] : [`write_actions(${write.join()})`]),
        ...(further ? [`goto_table:${table + 1}`] : []),
      ];
      const all = actions.length === 0 ? 'drop' : actions.join();
      return `cookie=${i + 1},table=${table},priority=${100 + i}${terms === '' ? '' : `,${terms}`},actions=${all}`;
    }),
  );

const ofTags = few(
  'push_vlan:0x8100',
  'push_vlan:0x8100',
  'push_vlan:0x88a8',
  'pop_vlan',
  'load:0x7->OXM_OF_VLAN_VID[0..11]',
);
const ofLabels = fc.oneof(
  few('push_mpls:0x8847', 'push_mpls:0x8847', 'push_mpls:0x8848', 'pop_mpls:0x0800', 'pop_mpls:0x8847', 'dec_mpls_ttl'),
  few(
    'set_field:5->mpls_label',
    'set_field:2->mpls_tc',
    'set_mpls_ttl:1',
    'move:OXM_OF_MPLS_LABEL[0..15]->NXM_NX_REG0[0..15]',
  ),
);

function headerTables(actions: fc.Arbitrary<string>, matches: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> {
  return fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: 2 }),
        matches,
        fc.array(fc.oneof(actions, actions, few('output:1', 'output:2', 'output:3', 'resubmit')), {
          minLength: 1,
          maxLength: 6,
        }),
      ),
      { minLength: 4, maxLength: 12 },
    )
    .map((flows) =>
      flows.map(([table, terms, list], i) => {
        const all = list.map((each) => (each === 'resubmit' ? `resubmit(,${table + 1})` : each)).join();
        return `cookie=${i + 1},table=${table},priority=${100 + i}${terms === '' ? '' : `,${terms}`},actions=${all}`;
      }),
    );
}

/** Flows that put tags in front of tags. */
export const tagTables = headerTables(
  ofTags,
  few(
    '',
    '',
    'tcp',
    'vlan_tci=0x0000',
    'vlan_tci=0x1000/0x1000',
    'dl_vlan=7',
    'dl_vlan=0',
    'vlan_tci=0x1000/0x1000,udp',
  ),
);

/** Flows that put labels in front of packets. */
export const labelTables = headerTables(
  fc.oneof(ofLabels, ofLabels, few('dec_ttl', 'push_vlan:0x8100', 'pop_vlan')),
  few(
    '',
    '',
    'ip',
    'tcp',
    'mpls',
    'mpls',
    'mpls,mpls_label=5',
    'mpls,mpls_bos=1',
    'mpls,mpls_bos=0',
    'mpls,mpls_tc=2',
    'mplsm',
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
