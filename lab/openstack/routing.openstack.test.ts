import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../command.ts';
import { PUBLIC } from './public-network.ts';
import { publicNamespace } from './services/routing.ts';
import { findLab } from './testing.ts';
import { type End, ping, TestCloud } from './testing-cloud.ts';

const ovnLab = findLab({ network: 'ovn' });
const firewall = ovnLab.lab === undefined ? findLab({ firewall: 'openvswitch' }) : ovnLab;

describe.skipIf(firewall.lab === undefined)(
  `security groups${firewall.reason === undefined ? '' : ` (${firewall.reason})`}`,
  () => {
    let cloud: TestCloud;
    afterAll(async () => console.log(await cloud.close()));

    it('let through what their rules say, and nothing else', async () => {
      cloud = await TestCloud.open(firewall.lab!);
      const network = (await cloud.create('network', '/networks', {}))['id'];
      await cloud.create('subnet', '/subnets', {
        network_id: network,
        ip_version: 4,
        cidr: '10.80.0.0/24',
        enable_dhcp: false,
      });
      const group = (await cloud.create('security_group', '/security-groups', {}))['id'];
      const a = await cloud.end('a', { network_id: network, security_groups: [group] });
      const b = await cloud.end('b', { network_id: network, security_groups: [group] });
      await expect(ping(a.namespace, b.address, 1)).rejects.toThrow('exit code 1');
      await cloud.session.post(cloud.neutron('/security-group-rules'), {
        security_group_rule: { security_group_id: group, direction: 'ingress', ethertype: 'IPv4', protocol: 'icmp' },
      });
      await cloud.timed('rule until the first ping', () => cloud.eventually(() => ping(a.namespace, b.address, 1)));
    });
  },
);

const routing = findLab({ services: ['routing'] });

describe.skipIf(routing.lab === undefined)(
  `routers${routing.reason === undefined ? '' : ` (${routing.reason})`}`,
  () => {
    let cloud: TestCloud;
    let [left, right]: End[] = [];
    let router: string;

    beforeAll(async () => {
      cloud = await TestCloud.open(routing.lab!);
      router = (await cloud.create('router', '/routers', {}))['id']!;
      const ends: End[] = [];
      for (const number of [1, 2]) {
        const network = (await cloud.create('network', '/networks', {}))['id'];
        const cidr = `10.81.${number}.0/24`;
        const subnet = (await cloud.create('subnet', '/subnets', { network_id: network, ip_version: 4, cidr }))['id'];
        await cloud.connect(router, subnet!);
        const end = await cloud.end(`n${number}`, { network_id: network, port_security_enabled: false });
        await run(['ip', '-n', end.namespace, 'route', 'add', 'default', 'via', `10.81.${number}.1`]);
        ends.push(end);
      }
      [left, right] = ends;
    });
    afterAll(async () => console.log(await cloud.close()));

    it('carry packets from one network to another', async () => {
      await cloud.timed('first ping through the router', () =>
        cloud.eventually(() => ping(left!.namespace, right!.address, 1)),
      );
    });

    it('answer for floating IPs', async () => {
      const { session } = cloud;
      const outside = (await session.get(cloud.neutron(`/networks?name=${PUBLIC.name}`)))['networks']![0]!['id'];
      const gateway = (id: unknown) =>
        session.request('PUT', cloud.neutron(`/routers/${router}`), {
          body: { router: { external_gateway_info: id === undefined ? {} : { network_id: id } } },
        });
      await gateway(outside);
      cloud.later(() => gateway(undefined));
      const wish = { floating_network_id: outside, port_id: left!.portId };
      const made = (await session.post(cloud.neutron('/floatingips'), { floatingip: wish }))['floatingip']!;
      cloud.later(() => session.request('DELETE', cloud.neutron(`/floatingips/${made['id']}`)));
      await cloud.timed('floating IP answers ping', () =>
        cloud.eventually(() => ping(publicNamespace(cloud.lab), made['floating_ip_address']!, 1)),
      );
      // And the other way, through SNAT.
      await cloud.eventually(() => ping(right!.namespace, PUBLIC.gateway, 1));
    });

    it('give leases by DHCP', async () => {
      const { namespace, device, address } = left!;
      const client = ['udhcpc', '-i', device, '-n', '-q', '-f', '-t', '5', '-s', '/bin/true'];
      // It says on the error channel what it got.
      const said = await cloud.timed('DHCP', () =>
        cloud.eventually(() =>
          run(['ip', 'netns', 'exec', namespace, 'sh', '-c', 'exec busybox "$@" 2>&1', 'sh', ...client]),
        ),
      );
      expect(said).toContain(`lease of ${address} obtained`);
    });
  },
);
