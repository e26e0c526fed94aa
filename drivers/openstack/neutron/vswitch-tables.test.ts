import { describe, expect, it } from 'vitest';
import { configurationOf, stationsOf, type Tables } from './vswitch-tables.ts';

const uuid = (id: string) => ['uuid', id];
const set = (...all: readonly unknown[]) => ['set', all];
const map = (...pairs: readonly (readonly [string, string])[]) => ['map', pairs];
const tables: Tables = {
  Bridge: {
    headings: ['_uuid', 'name', 'ports'],
    data: [
      [uuid('b1'), 'br-int', set(uuid('p1'), uuid('p2'), uuid('p3'))],
      [uuid('b2'), 'br-tun', uuid('p4')],
    ],
  },
  Port: {
    headings: ['_uuid', 'name', 'tag', 'trunks', 'interfaces'],
    data: [
      [uuid('p1'), 'tap1', 3, set(), uuid('i1')],
      [uuid('p2'), 'tap2', 3, set(), uuid('i2')],
      [uuid('p3'), 'patch-tun', set(), set(), uuid('i3')],
      [uuid('p4'), 'vxlan-0a000002', set(), set(), uuid('i4')],
    ],
  },
  Interface: {
    headings: ['_uuid', 'name', 'type', 'ofport', 'options', 'external_ids'],
    data: [
      [
        uuid('i1'),
        'tap1',
        '',
        7,
        map(),
        map(['iface-id', 'port-1'], ['attached-mac', 'FA:16:3E:00:00:01'], ['vm-uuid', 'x']),
      ],
      [uuid('i2'), 'tap2', '', 8, map(), map(['iface-id', 'port-2'], ['attached-mac', 'fa:16:3e:00:00:02'])],
      [uuid('i3'), 'patch-tun', 'patch', 1, map(['peer', 'patch-int']), map()],
      [uuid('i4'), 'vxlan-0a000002', 'vxlan', 2, map(['remote_ip', '10.0.0.2'], ['psk', 'swordfish']), map()],
    ],
  },
};
const fdb = (...rows: readonly string[]) => `${[' port  VLAN  MAC                Age', ...rows].join('\n')}\n`;

describe('tables of Open vSwitch', () => {
  it('are passed on without what is nobody else’s business', () => {
    const text = configurationOf(tables);
    expect(text.split('\n').map((line) => line.slice(0, 26))).toEqual([
      '{"caption":"Bridge table",',
      '{"caption":"Port table","d',
      '{"caption":"Interface tabl',
      '',
    ]);
    expect(text).toContain('remote_ip');
    expect(text).not.toMatch(/swordfish|psk|vm-uuid/);
  });

  it('tell the stations that a bridge has forgotten, and leave those alone that it knows', () => {
    expect(stationsOf(tables, 'br-int', fdb())).toBe(
      fdb('7 3 fa:16:3e:00:00:01 static', '8 3 fa:16:3e:00:00:02 static'),
    );
    expect(stationsOf(tables, 'br-int', fdb('    7     3  fa:16:3e:00:00:01   12'))).toBe(
      fdb('8 3 fa:16:3e:00:00:02 static'),
    );
    // Learned elsewhere: it is where it was learned.
    const moved = fdb('    9     3  fa:16:3e:00:00:01   12', '    8     3  fa:16:3e:00:00:02    1');
    expect(stationsOf(tables, 'br-int', moved)).toBeUndefined();
    expect(stationsOf(tables, 'br-tun', fdb())).toBeUndefined();
  });
});
