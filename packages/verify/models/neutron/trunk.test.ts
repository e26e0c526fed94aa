import { describe, expect, it } from 'vitest';
import { assemble } from '../../assemble/assemble.ts';
import { explore } from '../../engine/explore.ts';
import { meta, constant } from '../../ir/expression.ts';
import { field, fields } from '../../ir/fields.ts';
import { assign, block, forward } from '../../ir/instruction.ts';
import { fieldIs, layouts } from '../../ir/layouts.ts';
import { tagFrom } from '../openflow/frame.ts';

const tcp = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');
const port = (name: string, network: number, host: number, rest: object = {}) => ({
  id: `id-${name}`,
  name,
  network_id: `net-${network}`,
  mac_address: `fa:16:3e:00:0${network}:${String(host).padStart(2, '0')}`,
  device_owner: 'compute:nova',
  device_id: name,
  fixed_ips: [{ subnet_id: `sub-${network}`, ip_address: `10.0.${network}.${host}` }],
  security_groups: [],
  port_security_enabled: false,
  ...rest,
});

const sub = { port_id: 'id-sub', segmentation_type: 'vlan', segmentation_id: 7 };
const dump = (more: object, parent: object = {}) => ({
  networks: [0, 1].map((n) => ({ id: `net-${n}`, name: `net${n}` })),
  subnets: [0, 1].map((n) => ({ id: `sub-${n}`, network_id: `net-${n}`, cidr: `10.0.${n}.0/24`, gateway_ip: null })),
  ports: [
    port('parent', 0, 10, parent),
    port('sub', 1, 10, { device_owner: 'trunk:subport' }),
    port('near', 0, 20),
    port('far', 1, 20),
  ],
  ...more,
});

/** Where a frame of `from` goes, with which tag. */
function sent(text: object, from: string, tag: number, to: string): readonly string[] {
  const { network, readings } = assemble('t', [{ path: 'neutron.json', text: JSON.stringify(text, undefined, 1) }]);
  expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
  const tci = meta('test.tci');
  const sender = block(assign(tci, constant(tag, 16)), tagFrom(tci), forward(`${from}:in`));
  const programs = new Map([...network.programs, ['sender', sender]] as const);
  const assume = fieldIs('Ether.dst', BigInt(`0x${to.replaceAll(':', '')}`));
  const { paths } = explore({ ...network, programs }, { port: 'sender', layouts: tcp, assume });
  return paths
    .filter(({ outcome }) => outcome === 'delivered')
    .map(
      (path) =>
        `${path.port} ${path.ranges(fields['Vlan.id']!)?.[0]?.[0] ?? 'untagged'} ${path.ranges(field('IPv4.proto'))![0]![0]}`,
    );
}

describe('a trunk', () => {
  const trunk = dump({ trunks: [{ id: 't', name: 'trunk', port_id: 'id-parent', sub_ports: [sub] }] });
  const details = dump(
    {},
    { trunk_details: { trunk_id: 't', sub_ports: [{ ...sub, mac_address: 'fa:16:3e:00:01:10' }] } },
  );
  const [near, far, ofSub, ofParent] = [
    'fa:16:3e:00:00:20',
    'fa:16:3e:00:01:20',
    'fa:16:3e:00:01:10',
    'fa:16:3e:00:00:10',
  ];

  it.each([
    ['listed', trunk],
    ['told by its port', details],
  ])('that is %s sends frames with a tag by the sub-port, others by the parent', (_, made) => {
    expect(sent(made, 'parent', 0, near!)).toEqual(['near:out untagged 6']);
    expect(sent(made, 'parent', 0x1007, far!)).toEqual(['far:out untagged 6']);
    expect(sent(made, 'parent', 0, far!)).toEqual([]);
    expect(sent(made, 'parent', 0x1007, near!)).toEqual([]);
    expect(sent(made, 'parent', 0x1008, far!)).toEqual([]);
  });

  it('brings what is for the sub-port to the server with the tag', () => {
    expect(sent(trunk, 'far', 0, ofSub!)).toEqual(['parent:out 7 6']);
    expect(sent(trunk, 'near', 0, ofParent!)).toEqual(['parent:out untagged 6']);
  });

  it('that is down carries nothing', () => {
    const down = dump({ trunks: [{ id: 't', port_id: 'id-parent', admin_state_up: false, sub_ports: [sub] }] });
    expect(sent(down, 'parent', 0, near!)).toEqual([]);
    expect(sent(down, 'far', 0, ofSub!)).toEqual([]);
  });
});
