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
