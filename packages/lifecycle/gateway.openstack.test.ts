import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { linuxDriver } from '@superfluidity/driver-linux';
import { openstackDriver } from '@superfluidity/driver-openstack';
import { deleteNamespace, listNamespaces } from '@superfluidity/netlink';
import { missingForKernelTests } from '@superfluidity/netlink/testing';
import {
  Cloud,
  type CloudConfig,
  deleteServer,
  listServers,
  networks,
  type Port,
  ports,
  routers,
} from '@superfluidity/openstack';
import { authWords, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { scopeOf } from '@superfluidity/router';
import type { SiteDriver } from '@superfluidity/site';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/openstack/lab.ts';
import { PUBLIC } from '../../lab/openstack/public-network.ts';
import { findLab, labLogin } from '../../lab/openstack/testing.ts';
import { plugPublic } from '../../lab/openstack/testing-public.ts';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';
import { asked, CloudEnd, WHO_ASKS } from './testing/cloud-end.ts';
import { done } from './testing/two-sites.ts';

const needs = { services: ['nova', 'routing', 'heat'], network: 'ovs', compute: 'fake' } as const;
const { lab, reason } = findLab(needs);
const why = reason ?? missingForKernelTests(['ip', 'nft', 'runc']);
const LONG = 1_800_000;
const never = new AbortController().signal;
/** An agent of a machine that others keep busy takes minutes for a router. */
const soon = { timeout: 600_000, interval: 500 };

const folder = fileURLToPath(new URL('../../examples/mobile-edge', import.meta.url));
const example = { ...native(readFileSync(`${folder}/service-cloud.yaml`, 'utf8')), baseFolder: folder };

/** One network over both sites, and chains from the edge into the cloud and back. */
const joined = native(`
superfluidity: 1
service:
  name: joined
  version: '1'
  networks:
    - {name: users, prefix: 10.157.0.0/16}
    - {name: store, prefix: 10.158.0.0/16, mtu: 1400}
  functions:
    - name: near
      environment: process
      command: ${JSON.stringify([process.execPath, '-e', WHO_ASKS(8080)])}
      health: tcp:8080
      ports: [store]
      requirements: {cpu: 0.1, memoryMiB: 64, location: {tier: edge}}
    - name: user
      environment: process
      command: [sleep, infinity]
      ports: [users]
      requirements: {cpu: 0.1, memoryMiB: 16, location: {tier: edge}}
    - name: filter
      environment: nft
      forwards: true
      program: |
        table ip filter {
          chain forward { type filter hook forward priority 0; policy accept; }
        }
      ports: [users]
      requirements: {cpu: 0.1, memoryMiB: 16, location: {tier: edge}}
    - name: archive
      environment: vm
      image: 'name:archive'
      ports: [store]
      requirements: {cpu: 1, memoryMiB: 64, location: {tier: core}}
  chains:
    - {name: ask, from: user, through: [filter], to: archive, address: 10.99.0.15, protocol: tcp, ports: [9200]}
    - {name: tell, from: archive, to: near, address: 10.99.0.16, protocol: tcp, ports: [8080]}
`);

/** Of the laboratory's admin. */
function labConfig(of: Lab): CloudConfig {
  const { authUrl, user, project, password, region } = labLogin(of);
  const domain = { name: 'Default' };
  const credentials = {
    kind: 'password',
    user: { name: user, domain },
    password,
    project: { name: project, domain },
  } as const;
  return { authUrl, region, credentials };
}

/** A site is looked at as long as somebody hears what it tells. */
async function lookAt(site: SiteDriver, signal: AbortSignal): Promise<void> {
  for await (const _ of site.watch(signal)) if (signal.aborted) return;
}

describe.skipIf(why !== undefined)(
  `one service over an edge and a cloud${why === undefined ? '' : ` (${why})`}`,
  { timeout: LONG },
  () => {
    const device = `gw${randomInt(1e6)}`;
    const address = `203.0.113.${200 + randomInt(50)}`;
    const link = { a: 'linux1', b: 'cloud1', latencyMs: 5, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
    const how = { sites: { edge: 'linux1', core: 'cloud1' } };
    let store: Store;
    let own: OwnProject;
    let cloud: Cloud;
    let running: TestLifecycle;
    let unplug: () => Promise<unknown>;
    /** Nobody else gets the address of the gateway. */
    let reserved: Port;

    const cloudSite = (more: object) => {
      const config = {
        auth: authWords(own.config),
        images: { 'name:archive': 'lab-image' },
        externalNetwork: PUBLIC.name,
        pollMs: 1_000,
        ...more,
      };
      return { ...simulatedSite('cloud1'), kind: 'openstack', tier: 'anything', config };
    };
    const sitesHere = () => running.lifecycle.sites;
    const gateway = async () => scopeOf((await sitesHere().show('cloud1')).id).router;
    const mine = () => ({ project_id: own.id });
    const driver = (name: string) => sitesHere().drivers().get(name)!;
    const edgeUnit = async (path: string) => {
      const unit = (await driver('linux1').listUnits()).find((one) => one.path === path)!;
      return { namespace: unit.handles['namespace']!, address: unit.ports[0]!.address };
    };
    const endOf = async (name: string, ...serviceAddresses: readonly string[]) => {
      const all = await ports.list(cloud, mine(), never);
      const found = all.filter((port) => port.name.includes(name) && port.device_owner.startsWith('compute'));
      return CloudEnd.open(cloud, found[0]!, serviceAddresses);
    };

    beforeAll(async () => {
      store = await openStore('pglite:memory');
      own = await ownProject(labConfig(lab!), `lifecycle-${newId('site')}`, OPERATOR);
      cloud = new Cloud({ config: own.config, clock: systemClock, log: silentLogger });
      const outside = await networks.find(cloud, { name: PUBLIC.name }, never);
      const fields = { network_id: outside!.id, fixed_ips: [{ ip_address: address }], name: 'gateway of a test' };
      reserved = await ports.create(own.admin, fields, never);
      unplug = await plugPublic(lab!, device);
      running = await testLifecycle({ store, kinds: [linuxDriver, openstackDriver], limits: { stepMs: LONG } });
      const hosts = [{ name: 'h1', cpu: 16, memoryMiB: 16_384 }];
      await sitesHere().add({ ...simulatedSite('linux1'), kind: 'linux', tier: 'anything', config: { hosts } });
      await sitesHere().add(cloudSite({}));
    }, LONG);
    afterAll(async () => {
      for (const name of ['cloud1', 'linux1']) await running?.lifecycle.sites.purge(name).catch(() => {});
      for (const site of running?.lifecycle.sites.drivers().values() ?? []) await site.purge();
      await running?.close();
      await unplug?.();
      if (reserved !== undefined) await ports.delete(own.admin, reserved.id, never);
      await cloud?.close();
      await own?.remove();
      await store?.close();
    }, LONG);

    it('is refused a link as long as nobody says where the cloud touches this machine', async () => {
      await expect(sitesHere().setLink(link)).rejects.toMatchObject({
        code: 'SF-LIFECYCLE-LINK',
        details: { hint: expect.stringContaining('gateway: {device') },
      });
      await sitesHere().add(cloudSite({ gateway: { device: 'nowhere', address: `${address}/24` } }));
      const broken = (await sitesHere().show('cloud1')).capabilities.find(({ name }) => name === 'gateway');
      expect(broken).toEqual({ name: 'gateway', present: false, note: 'this machine has no device nowhere' });
      await expect(sitesHere().setLink(link)).rejects.toMatchObject({ code: 'SF-CLOUD-GATEWAY' });
      await sitesHere().add(cloudSite({ gateway: { device, address: `${address}/24` } }));
      await sitesHere().setLink(link);
      const told = (await sitesHere().show('cloud1')).capabilities.find(({ name }) => name === 'gateway');
      expect(told).toMatchObject({ present: true, note: expect.stringContaining(`${address}/24 on ${device}`) });
    });

    it('has packets go both ways, by a network and by chains, each end seen as itself', async () => {
      const { services } = running.lifecycle;
      expect(await done(running, services.deploy(joined, 'joined', how))).toMatchObject({ state: 'COMPLETED' });
      const end = await endOf('archive', '10.99.0.15');
      try {
        const [near, user] = [await edgeUnit('near/near'), await edgeUnit('user/user')];
        const intoCloud = () => asked(near.namespace, `http://${end.address}:9200/`);
        const byChain = () => asked(user.namespace, 'http://10.99.0.15:9200/');
        await expect.poll(intoCloud, soon).toBe(near.address);
        await expect.poll(() => asked(end.namespace, `http://${near.address}:8080/`), soon).toBe(end.address);
        await expect.poll(byChain, soon).toBe(user.address);
        await expect.poll(() => asked(end.namespace, 'http://10.99.0.16:8080/'), soon).toBe(end.address);
        // Who is in no chain, and in another network, reaches nothing.
        expect(await asked(user.namespace, `http://${end.address}:9200/`)).toMatch(/timeout|unreachable/i);

        // Somebody takes the routes away, and then the gateway itself.
        const watching = new AbortController();
        const looking = lookAt(driver('cloud1'), watching.signal);
        const [router] = await routers.list(cloud, mine(), never);
        expect(router!.external_gateway_info?.enable_snat).toBe(false);
        await routers.update(cloud, router!.id, { routes: [] }, never);
        const routes = async () => (await routers.show(cloud, router!.id, never)).routes.length;
        await expect.poll(routes, soon).toBe(router!.routes.length);
        deleteNamespace(await gateway());
        await expect.poll(intoCloud, soon).toBe(near.address);
        await expect.poll(byChain, soon).toBe(user.address);
        watching.abort();
        await looking;

        // Another control plane finds it all.
        await running.restart();
        await expect.poll(intoCloud, soon).toBe(near.address);
        await expect.poll(byChain, soon).toBe(user.address);
        await sitesHere().setLink({ ...link, latencyMs: 1 });
        await expect.poll(intoCloud, soon).toBe(near.address);
      } finally {
        await end.close();
      }
      const { services: now } = running.lifecycle;
      expect(await done(running, now.terminate('joined'))).toMatchObject({ state: 'COMPLETED' });
      expect(await routers.list(cloud, mine(), never)).toEqual([]);
      expect(await ports.list(cloud, mine(), never)).toEqual([]);
    });

    it('goes by a stack of Heat as well', async () => {
      const { services } = running.lifecycle;
      const deployed = await done(running, services.deploy(joined, 'joined', { ...how, via: 'heat' }));
      expect(deployed).toMatchObject({ state: 'COMPLETED' });
      const end = await endOf('archive', '10.99.0.15');
      try {
        const [near, user] = [await edgeUnit('near/near'), await edgeUnit('user/user')];
        await expect.poll(() => asked(near.namespace, `http://${end.address}:9200/`), soon).toBe(near.address);
        await expect.poll(() => asked(user.namespace, 'http://10.99.0.15:9200/'), soon).toBe(user.address);
        await expect.poll(() => asked(end.namespace, 'http://10.99.0.16:8080/'), soon).toBe(end.address);
      } finally {
        await end.close();
      }
      expect(await done(running, services.terminate('joined'))).toMatchObject({ state: 'COMPLETED' });
      expect(await routers.list(cloud, mine(), never)).toEqual([]);
    });

    it('says where the cloud lets nobody but administrators show the addresses of units', async () => {
      const tenant = await ownProject(labConfig(lab!), `tenant-${newId('site')}`, ['member']);
      const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-gateway-'));
      const call = { key: 'test', fence: 1, signal: AbortSignal.timeout(LONG) };
      const gatewayOfTenant = { device, address: '203.0.113.199/24' };
      const config = { auth: authWords(tenant.config), externalNetwork: PUBLIC.name, gateway: gatewayOfTenant };
      const site = await openstackDriver.open({
        id: newId('site'),
        name: 'tenant',
        config,
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      });
      try {
        const prefix = { prefix: '10.159.0.0/20', supernet: '10.159.0.0/16' };
        await site.fabric.ensureNetwork({ id: 'net-a', service: 'svc', name: 'a', ...prefix, mtu: 1_400 }, call);
        const { capabilities } = await site.fingerprint();
        expect(capabilities.find(({ name }) => name === 'gateway')?.note).toContain('source NAT stays on');
        const [router] = await routers.list(own.admin, { project_id: tenant.id }, never);
        expect(router).toMatchObject({
          routes: [{ destination: prefix.supernet, nexthop: '203.0.113.199' }],
          external_gateway_info: { enable_snat: true },
        });
      } finally {
        await site.purge();
        await site.close();
        await tenant.remove();
        rmSync(stateFolder, { recursive: true });
      }
    });

    it('is not planned where a function between two others would be in the cloud', async () => {
      const between = joined.source.replace('through: [filter], to: archive', 'through: [archive], to: near');
      const plan = running.lifecycle.services.plan(native(between.replace(/^ {4}- \{name: tell.*$/m, '')), 'no', how);
      await expect(plan).rejects.toMatchObject({
        code: 'SF-FABRIC-CHAIN',
        message: expect.stringContaining('cloud1 can have the first or the last hop alone'),
      });
    });

    it('is deployed from the example, healed when a server is gone, and terminated without a trace', async () => {
      const { services, sites } = running.lifecycle;
      expect(await done(running, services.deploy(example, 'mobile', how))).toMatchObject({ state: 'COMPLETED' });
      const { units } = await services.show('mobile');
      expect(Object.fromEntries(units.map(({ path, site }) => [path, site]))).toEqual({
        'ue/ue': 'linux1',
        'firewall/firewall': 'linux1',
        'video/video': 'linux1',
        'archive/index': 'cloud1',
        'archive/disk': 'cloud1',
      });
      const video = (await driver('linux1').listUnits()).find(({ path }) => path === 'video/video')!;
      const answers = async () => (await driver('linux1').readOutput(video.id, 0)).lines.join('\n');
      const end = await endOf('index', '10.99.0.13');
      try {
        await expect.poll(answers, soon).toContain('"ok":true,"status":200');
      } finally {
        await end.close();
      }

      const servers = await listServers(cloud, {}, never);
      expect(servers.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual([
        'mobile.archive.disk-0 ACTIVE',
        'mobile.archive.index-0 ACTIVE',
      ]);
      const lost = servers.find(({ name }) => name === 'mobile.archive.disk-0')!;
      await deleteServer(cloud, lost.id, never);
      const units2 = async () => (await sites.drivers().get('cloud1')!.listUnits()).length;
      await expect.poll(units2, { timeout: LONG / 3, interval: 2_000 }).toBe(1);
      // What reconciliation does when it sees it.
      expect(await done(running, services.heal('mobile'))).toMatchObject({ state: 'COMPLETED' });
      const healed = (await listServers(cloud, {}, never)).find(({ name }) => name === 'mobile.archive.disk-0')!;
      expect([healed.status, healed.id === lost.id]).toEqual(['ACTIVE', false]);
      expect((await services.show('mobile')).healthy).toBe(true);

      expect(await done(running, services.terminate('mobile'))).toMatchObject({ state: 'COMPLETED' });
      expect(await listServers(cloud, {}, never)).toEqual([]);
      expect(await ports.list(cloud, mine(), never)).toEqual([]);
      const left = await networks.list(cloud, mine(), never);
      expect(left.filter(({ name }) => name.startsWith('mobile'))).toEqual([]);
      const router = await gateway();
      expect(listNamespaces()).toContain(router);
      await sites.remove('cloud1');
      expect(listNamespaces().filter((name) => name.startsWith(router.slice(0, -1)))).toEqual([]);
    });
  },
);
