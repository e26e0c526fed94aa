import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSuperfluidityError, newId, silentLogger, SuperfluidityError, systemClock } from '@superfluidity/core';
import type { FabricCall, NetworkSpec } from '@superfluidity/fabric';
import {
  Cloud,
  type CloudConfig,
  createServer,
  deleteServer,
  listFlavors,
  listImages,
  listServerGroups,
  listServers,
  networks,
  ports,
  securityGroups,
  subnets,
} from '@superfluidity/openstack';
import { authWords, FaultProxy, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import type { SiteDriver, UnitSpec } from '@superfluidity/site';
import { openstackDriver } from '../index.ts';

/** A project with things of somebody else in it, a site in the same project, and a proxy between the site and the cloud. */
export class FaultWorld {
  readonly own: OwnProject;
  readonly proxy: FaultProxy;
  /** Sees the project without the proxy. */
  readonly cloud: Cloud;
  readonly folder: string;
  #sites: SiteDriver[] = [];
  #fence = 1;
  #foreign: readonly string[] = [];

  private constructor(own: OwnProject, proxy: FaultProxy) {
    this.own = own;
    this.proxy = proxy;
    this.cloud = new Cloud({ config: own.config, clock: systemClock, log: silentLogger });
    this.folder = mkdtempSync(join(tmpdir(), 'superfluidity-faults-'));
  }

  static async make(lab: CloudConfig, name: string): Promise<FaultWorld> {
    const own = await ownProject(lab, name);
    const world = new FaultWorld(own, await FaultProxy.start(lab.authUrl));
    const signal = AbortSignal.timeout(120_000);
    const network = await networks.create(world.cloud, { name: 'foreign' }, signal);
    const subnet = { name: 'foreign', network_id: network.id, ip_version: 4, cidr: '10.60.1.0/24' } as const;
    await subnets.create(world.cloud, subnet, signal);
    await ports.create(world.cloud, { name: 'foreign', network_id: network.id }, signal);
    const [flavors, images] = await Promise.all([
      listFlavors(world.cloud, signal),
      listImages(world.cloud, { status: 'active' }, signal),
    ]);
    const small = flavors.toSorted((a, b) => a.ram - b.ram)[0]!;
    const server = { name: 'foreign', flavorRef: small.id, imageRef: images[0]!.id, networks: 'none' } as const;
    await createServer(world.cloud, { ...server, metadata: { superfluidity: 'not ours' } }, {}, signal);
    world.#foreign = await world.inventory();
    return world;
  }

  /** `auth` of a configuration, through the proxy. */
  get auth(): Readonly<Record<string, string>> {
    return authWords({ ...this.own.config, authUrl: this.proxy.authUrl });
  }

  async open(config: Readonly<Record<string, unknown>> = {}, id = newId('site')): Promise<SiteDriver> {
    const site = await openstackDriver.open({
      id,
      name: 'cloud',
      config: { auth: this.auth, requestMs: 60_000, pollMs: 500, ...config },
      stateFolder: this.folder,
      clock: systemClock,
      log: silentLogger,
    });
    this.#sites.push(site);
    return site;
  }

  call(signal = AbortSignal.timeout(300_000)): FabricCall {
    this.#fence += 1;
    return { key: `faults/${this.#fence}`, fence: 1, signal };
  }

  network(service = 'svc-faults'): NetworkSpec {
    const id = `net-${service}`;
    return { id, service, name: 'data', prefix: '10.61.1.0/24', supernet: '10.61.0.0/16', mtu: 1400 };
  }

  unit(id: string, host: string, changes: Partial<UnitSpec> = {}): UnitSpec {
    return {
      id: `unit-${id}`,
      service: 'svc-faults',
      path: 'function/unit',
      index: 0,
      host,
      execution: { environment: 'vm', image: 'name:lab-image', health: { kind: 'running', timeoutMs: 2_000 } },
      cpu: 1,
      memoryMiB: 64,
      storageMiB: 64,
      ports: [{ id: `port-${id}`, name: 'eth0', network: 'net-svc-faults', serviceAddresses: [] }],
      facts: {},
      ...changes,
    };
  }

  /** All that is in the project, by kind and name, whoever made it. */
  async inventory(): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(120_000);
    const mine = { project_id: this.own.id };
    const [servers, groups, nets, nics, rules] = await Promise.all([
      listServers(this.cloud, {}, signal),
      listServerGroups(this.cloud, signal),
      networks.list(this.cloud, mine, signal),
      ports.list(this.cloud, mine, signal),
      securityGroups.list(this.cloud, mine, signal),
    ]);
    return [
      ...servers.map(({ name }) => `server ${name}`),
      ...groups.map(({ name }) => `server group ${name}`),
      ...nets.map(({ name }) => `network ${name}`),
      ...nics.map(({ name }) => `port ${name}`),
      ...rules.map(({ name }) => `security group ${name}`).filter((name) => name !== 'security group default'),
    ].toSorted();
  }

  /** What is there beside what was there before. */
  async ours(): Promise<readonly string[]> {
    const left = [...this.#foreign];
    return (await this.inventory()).filter((name) => {
      const at = left.indexOf(name);
      if (at === -1) return true;
      left.splice(at, 1);
      return false;
    });
  }

  /** Whether what is somebody else's is untouched. */
  async foreignIsThere(): Promise<boolean> {
    const now = await this.inventory();
    return this.#foreign.every((name) => now.includes(name));
  }

  async closeSites(): Promise<void> {
    this.proxy.strike();
    this.proxy.hidden = [];
    const sites = this.#sites;
    this.#sites = [];
    for (const site of sites) {
      await site.purge().catch((error: unknown) => {
        // One that could not log in has made nothing.
        if (!isSuperfluidityError(error, 'SF-OPENSTACK-CREDENTIALS')) throw error;
      });
      await site.close();
    }
  }

  async end(): Promise<void> {
    const signal = AbortSignal.timeout(120_000);
    for (const { id } of await listServers(this.cloud, {}, signal)) await deleteServer(this.cloud, id, signal);
    const mine = { project_id: this.own.id };
    for (const { id } of await ports.list(this.cloud, mine, signal)) await ports.delete(this.cloud, id, signal);
    for (const { id } of await networks.list(this.cloud, mine, signal)) await networks.delete(this.cloud, id, signal);
    for (const one of await securityGroups.list(this.own.admin, mine, signal))
      if (one.name !== 'default') await securityGroups.delete(this.cloud, one.id, signal);
    await this.cloud.close();
    await this.proxy.stop();
    await this.own.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The coded error with which it ends. */
export async function refusalOf(work: Promise<unknown>): Promise<SuperfluidityError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SuperfluidityError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
