import { readNative } from '@superfluidity/dialects';
import { expect, test } from 'vitest';
import { prove } from './index.ts';
import type { RealisedPlane } from './realised-plane.ts';

const { service } = readNative(`superfluidity: 1
service:
  name: pair
  version: "1"
  networks: [{name: lan, prefix: 10.1.0.0/16}]
  functions:
    - {name: user, environment: container, image: "host:", ports: [lan]}
    - {name: server, environment: container, image: "host:", ports: [lan]}
  policies:
    - {name: served, reach: {from: user, to: server, packet: tcp dst port 80}}
`);

/**
 * The user's packets pass the host, a box that translates both of their addresses, and the host again, as another connection;
 * answers go back the same way. The host lets in what answers a connection that it knows.
 */
function plane(change: (file: string) => string = (file) => file): RealisedPlane {
  const file = (name: string, ...lines: readonly string[]) => ({ name, text: `${lines.join('\n')}\n` });
  const addressed = (name: string, ...addresses: readonly string[]) =>
    file(
      `${name}.addr`,
      ...addresses.map((address, i) => `${i + 2}: eth${i}    inet ${address}/32 scope global eth${i}`),
    );
  const files = [
    addressed('user', '10.1.0.1'),
    file('user.routes', 'default dev eth0'),
    file('user.nft', 'table ip none {', '}'),
    addressed('server', '10.1.0.2'),
    file('server.routes', 'default dev eth0'),
    file('server.nft', 'table ip none {', '}'),
    addressed('nat', '10.1.0.3'),
    file('nat.routes', 'default dev eth0'),
    file(
      'nat.nft',
      'table ip nat {',
      ' chain in {',
      '  type nat hook prerouting priority dstnat;',
      '  ip daddr 10.9.9.9 dnat to 10.1.0.2',
      ' }',
      ' chain out {',
      '  type nat hook postrouting priority srcnat;',
      '  ip saddr 10.1.0.1 masquerade',
      ' }',
      '}',
    ),
    addressed('host', '10.1.1.1', '10.1.1.2', '10.1.1.3'),
    file('host.routes', '10.1.0.1 dev eth0', '10.9.9.9 dev eth1', '10.1.0.3 dev eth1', '10.1.0.2 dev eth2'),
    file(
      'host.nft',
      'table ip filter {',
      ' chain forward {',
      '  type filter hook forward priority 0; policy drop;',
      '  ct state established accept',
      '  iifname { "eth0", "eth1" } oifname { "eth1", "eth2" } accept',
      ' }',
      '}',
    ),
    file(
      'wires.links',
      ...['user:eth0 host:eth0', 'nat:eth0 host:eth1', 'server:eth0 host:eth2'].flatMap((wire) => {
        const [a, b] = wire.split(' ');
        return [`${a} -> ${b}`, `${b} -> ${a}`];
      }),
    ),
  ].map(({ name, text }) => ({ name, text: change(text) }));
  const unit = (name: string, address: string, serviceAddresses: readonly string[] = []) => ({
    name: `${name}/${name}#0`,
    path: `${name}/${name}`,
    networks: ['lan'],
    addresses: [address],
    serviceAddresses,
    places: [`${name}:eth0`],
  });
  return {
    service: 'pair',
    files,
    units: [unit('user', '10.1.0.1'), unit('server', '10.1.0.2', ['10.9.9.9'])],
    unread: [],
  };
}

test('answers are known again on a host that a connection passes twice, before and after its translation', () => {
  const [held] = prove({ realised: plane(), service: service! }).policies;
  expect(held).toMatchObject({
    answer: 'holds',
    because: 'All of them arrive at server, and their answers come back.',
  });
});

test('answers that the host does not know are missed, and the rule is named', () => {
  const forgetful = plane((text) => text.replace('ct state established accept', 'ct state invalid accept'));
  const [missed] = prove({ realised: forgetful, service: service! }).policies;
  expect(missed).toMatchObject({
    answer: 'violated',
    because: 'Packets arrive at server, and there are answers that do not come back.',
    paths: [{ outcome: 'dropped', source: { file: 'host.nft', line: 2 } }],
  });
});

/** The server is a virtual machine: nobody reads what is inside, and the host knows by which frames it is reached. */
function withMachine(change: (file: string) => string = (file) => file): RealisedPlane {
  const { files, units, ...plane_ } = plane();
  const text = (...shown: readonly (readonly [name: string, mac: string, address: string])[]) =>
    shown
      .map(
        ([name, mac, address], i) =>
          `${i + 2}: ${name}: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP\n    link/ether ${mac} brd ff:ff:ff:ff:ff:ff\n    inet ${address}/32 scope global ${name}\n`,
      )
      .join('');
  return {
    ...plane_,
    files: [
      ...files.filter(({ name }) => !name.startsWith('server.') && name !== 'host.addr'),
      {
        name: 'host.addr',
        text: text(
          ['eth0', '02:00:00:00:00:01', '10.1.1.1'],
          ['eth1', '02:00:00:00:00:02', '10.1.1.2'],
          ['eth2', '02:00:00:00:00:03', '10.1.1.3'],
        ),
      },
      { name: 'host.neigh', text: '10.1.0.2 dev eth2 lladdr 02:00:00:00:00:99 PERMANENT\n' },
    ].map(({ name, text: shown }) => ({
      name,
      text: change(shown).replaceAll(/^server:.*\n|^.*-> server:.*\n/gm, ''),
    })),
    units: units.map((unit) =>
      unit.path !== 'server/server'
        ? unit
        : {
            ...unit,
            places: ['host:eth2'],
            machine: {
              forwards: false,
              ports: [
                {
                  interface: 'eth0',
                  address: '10.1.0.2',
                  mac: '02:00:00:00:00:99',
                  supernet: '10.1.0.0/16',
                  serviceAddresses: ['10.9.9.9'],
                  place: 'host:eth2',
                },
              ],
            },
          },
    ),
  };
}

test('a machine takes frames that are for it, answers, and what is taken for granted of it is said', () => {
  const { policies, assumptions } = prove({ realised: withMachine(), service: service! });
  expect(policies).toMatchObject([
    { answer: 'holds', because: 'All of them arrive at server, and their answers come back.' },
  ]);
  expect(assumptions).toEqual(['the machine server/server#0 takes what is for its addresses and forwards nothing']);
});

test.each([
  ['a frame for another machine', /lladdr \S+/, 'lladdr 02:00:00:00:00:98', 'the frame is for another address'],
  ['an address that the machine has not', 'dnat to 10.1.0.2', 'dnat to 10.1.0.4', 'unreachable'],
  ['a TAP that nobody holds', /(4: eth2: <.*)UP,LOWER_UP/, '$1NO-CARRIER,UP', 'eth2 is down'],
])('%s is missed', (_name, from, to, why) => {
  const { policies } = prove({
    realised: withMachine((text) => text.replace(from, to)),
    service: service!,
  });
  expect(policies).toMatchObject([{ answer: 'violated', paths: [{ why: expect.stringContaining(why) }] }]);
});
