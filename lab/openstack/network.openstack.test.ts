import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../command.ts';
import { findLab } from './testing.ts';
import { type End, ping, TestCloud } from './testing-cloud.ts';

/**
 * What a network is made of shows here: the same questions to either kind, whose answers and times are printed and stand in
 * docs/guides/openstack.md.
 */
const { lab, reason } = findLab({ services: ['ovs'] });
const isOvn = lab?.options.network === 'ovn';
const PORTS = 5;
const LIMIT_KBPS = 1_000;
const SENT_BYTES = 500_000;
const VLAN = 100;
const TAGGED_PING = fileURLToPath(new URL('python/tagged_ping.py', import.meta.url));

describe.skipIf(lab === undefined)(
  `the network ${lab?.options.network ?? ''}${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let cloud: TestCloud;
    let network: string;
    let [a, b]: End[] = [];
    const open = () => ({ network_id: network, port_security_enabled: false });

    beforeAll(async () => {
      cloud = await TestCloud.open(lab!);
      network = await networkWith('10.82.1.0/24');
      [a, b] = [await cloud.end('a', open()), await cloud.end('b', open())];
    });
    afterAll(async () => console.log(`${lab!.options.network}:\n${await cloud.close()}`));

    async function networkWith(cidr: string): Promise<string> {
      const { id } = await cloud.create('network', '/networks', {});
      await cloud.create('subnet', '/subnets', { network_id: id, ip_version: 4, cidr, enable_dhcp: false });
      return id as unknown as string;
    }

    it('says what it has', async () => {
      const { extensions } = await cloud.session.get(cloud.neutron('/extensions'));
      const aliases = (extensions as unknown as readonly { readonly alias: string }[]).map(({ alias }) => alias);
      console.log(`extensions: ${aliases.toSorted().join(' ')}`);
      for (const both of ['trunk', 'qos', 'router', 'security-group', 'allowed-address-pairs'])
        expect(aliases).toContain(both);
      expect(aliases.includes('sfc')).toBe(!isOvn);
    });

    it('wires ports', async () => {
      const bound = { ...open(), 'binding:host_id': lab!.options.host, device_owner: 'compute:nova' };
      const single: number[] = [];
      for (let number = 0; number < PORTS; number += 1) {
        const startedMs = performance.now();
        const { id } = await cloud.create('port', '/ports', { ...bound, device_id: `${cloud.tag}-${number}` });
        await cloud.until('the port', 'ACTIVE', () => cloud.portStatus(id as unknown as string));
        single.push(Math.round(performance.now() - startedMs));
      }
      console.log(`port to ACTIVE, ms: ${single.join(' ')}`);
      await cloud.timed(`${PORTS} ports at once, until the last is ACTIVE`, async () => {
        const made = await Promise.all(
          Array.from({ length: PORTS }, (_, number) =>
            cloud.create('port', '/ports', { ...bound, device_id: `${cloud.tag}-at-once-${number}` }),
          ),
        );
        for (const { id } of made)
          await cloud.until('the port', 'ACTIVE', () => cloud.portStatus(id as unknown as string));
      });
      await cloud.timed('first ping between ports that are ACTIVE', () =>
        cloud.eventually(() => ping(a!.namespace, b!.address, 1)),
      );
    });

    it('carries two networks on the port of a trunk', async () => {
      const other = await networkWith('10.82.2.0/24');
      const onOther = { network_id: other, port_security_enabled: false };
      const far = await cloud.end('far', onOther);
      const parent = await cloud.create('port', '/ports', open());
      const sub = await cloud.create('port', '/ports', onOther);
      const sub_ports = [{ port_id: sub['id'], segmentation_type: 'vlan', segmentation_id: VLAN }];
      await cloud.create('trunk', '/trunks', { port_id: parent['id'], sub_ports });
      const namespace = `${cloud.tag}-trunk`;
      await run(['ip', 'netns', 'add', namespace]);
      cloud.later(() => run(['ip', 'netns', 'delete', namespace]));
      await cloud.timed('trunk to ACTIVE, with its subport', async () => {
        const binding = {
          'binding:host_id': lab!.options.host,
          device_owner: 'compute:nova',
          device_id: `${cloud.tag}-trunk`,
        };
        const port = cloud.neutron(`/ports/${parent['id']}`);
        await cloud.session.request('PUT', port, { body: { port: binding } });
        cloud.later(() =>
          cloud.session.request('PUT', port, { body: { port: { 'binding:host_id': '', device_id: '' } } }),
        );
        for (const one of [parent, sub]) await cloud.until('the port', 'ACTIVE', () => cloud.portStatus(one['id']!));
      });
      const device = `tap${String(parent['id']).slice(0, 11)}`;
      const inside = (...args: readonly string[]) => run(['ip', '-n', namespace, ...args]);
      await run(['ip', 'link', 'set', device, 'netns', namespace]);
      await inside('link', 'set', device, 'address', parent['mac_address']!, 'up');
      const from = sub['fixed_ips']![0]!['ip_address']!;
      const tagged = [TAGGED_PING, device, String(VLAN), sub['mac_address']!, from, far.address];
      await cloud.timed('first ping through the subport', () =>
        cloud.eventually(() => run(['ip', 'netns', 'exec', namespace, 'python3', ...tagged])),
      );
    });

    it('limits the bandwidth of a port where its data plane can', async () => {
      const policy = await cloud.create('policy', '/qos/policies', {});
      const rules = cloud.neutron(`/qos/policies/${policy['id']}/bandwidth_limit_rules`);
      const limit = { max_kbps: LIMIT_KBPS, max_burst_kbps: LIMIT_KBPS / 10, direction: 'egress' };
      await cloud.session.post(rules, { bandwidth_limit_rule: limit });
      const before = await seconds(a!, b!);
      const port = (id: unknown) =>
        cloud.session.request('PUT', cloud.neutron(`/ports/${a!.portId}`), { body: { port: { qos_policy_id: id } } });
      await port(policy['id']);
      cloud.later(() => port(null));
      let after = before;
      const deadline = performance.now() + 20_000;
      while (after < SENT_BYTES / (LIMIT_KBPS * 125) / 2 && performance.now() < deadline) after = await seconds(a!, b!);
      console.log(`${SENT_BYTES} bytes, s: ${before} without a limit, ${after} with one of ${LIMIT_KBPS} kbit/s`);
    });
  },
);

/** Of what is sent from one end to the other by TCP, until the last byte is there. */
async function seconds(from: End, to: End): Promise<number> {
  const inside = ({ namespace }: End, script: string) =>
    run(['ip', 'netns', 'exec', namespace, process.execPath, '-e', script], { timeoutMs: 70_000 });
  const startedMs = performance.now();
  const [received] = await Promise.all([
    inside(
      to,
      `require('net').createServer(function (socket) {
        let bytes = 0;
        socket.on('data', (part) => (bytes += part.length)).on('end', () => (console.log(bytes), this.close(), socket.end()));
      }).listen(7777)`,
    ),
    inside(
      from,
      `const send = () => require('net').connect(7777, '${to.address}')
        .on('error', () => setTimeout(send, 50)).end(Buffer.alloc(${SENT_BYTES}));
      send();`,
    ),
  ]);
  expect(Number(received)).toBe(SENT_BYTES);
  return Math.round((performance.now() - startedMs) / 100) / 10;
}
