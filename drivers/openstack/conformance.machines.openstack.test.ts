import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { activationOrder, type FabricCall, renderChain } from '@superfluidity/fabric';
import { type Cloud, floatingIps } from '@superfluidity/openstack';
import { labCloud } from '@superfluidity/openstack/testing';
import type { SiteDriver, UnitSpec, UnitStatus } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PUBLIC } from '../../lab/openstack/public-network.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { openPublic } from '../../lab/openstack/testing-public.ts';
import { openstackDriver } from './index.ts';
import { type OwnCloud, ownCloud } from './testing.ts';

/**
 * What a unit is when there is a machine behind it: the suite of all drivers passes without one. Guests boot on an
 * interpreted processor, so that four of them serve all tests, each of which needs the ones before it.
 */
const { lab, reason } = findLab({ services: ['nova', 'routing'], compute: 'libvirt' });
const title = `a site whose units are machines${reason === undefined ? '' : ` (${reason})`}`;
const LONG = 900_000;
const BOOT_MS = 400_000;
const SERVICE = '10.99.3.1';
const VIP = '10.63.1.200';
const siteId = newId('site');
const folder = mkdtempSync(join(tmpdir(), 'superfluidity-machines-'));
const allow = [{ protocol: 'icmp' }, { protocol: 'tcp', ports: [80] }] as const;
const network = {
  id: 'net-machines',
  service: 'svc-machines',
  name: 'data',
  prefix: '10.63.1.0/24',
  supernet: '10.63.0.0/16',
  mtu: 1_400,
} as const;

const shell = (text: string) => ['sh', '-c', text];
const loop = (text: string) => `while :; do ${text}; sleep 1; done`;
/** Tells on the console which page an address has: the name of the guest. wget of a static busybox cannot look up ports. */
const askFor = (address: string) =>
  `echo "got $(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${address} 80 | tail -n 1)"`;

describe.skipIf(lab === undefined)(title, { timeout: LONG }, () => {
  let own: OwnCloud;
  let cloud: Cloud;
  let site: SiteDriver;
  let closePublic: () => Promise<unknown>;
  const units = new Map<string, UnitStatus>();

  const call = (): FabricCall => ({ key: crypto.randomUUID(), fence: 1, signal: AbortSignal.timeout(LONG) });

  function spec(name: string, execution: Partial<UnitSpec['execution']>, more: Partial<UnitSpec> = {}): UnitSpec {
    return {
      id: `unit-${name}`,
      service: network.service,
      path: `machines/${name}`,
      index: 0,
      host: 'nova',
      execution: { environment: 'vm', image: 'name:lab-image', ...execution },
      cpu: 1,
      memoryMiB: 192,
      storageMiB: 64,
      ports: [{ id: `port-${name}`, name: 'eth0', network: network.id, serviceAddresses: [], allow }],
      facts: {},
      ...more,
    };
  }

  async function start(...specs: readonly UnitSpec[]): Promise<void> {
    for (const outcome of await site.ensureUnits(specs, call())) {
      if (!outcome.ok) throw outcome.error;
      units.set(outcome.status.id.slice('unit-'.length), outcome.status);
    }
  }

  const output = async (name: string) => (await site.readOutput(`unit-${name}`, 0)).lines.join('\n');
  const port = (name: string) => units.get(name)!.ports[0]!;
  const floatingIp = (name: string) => units.get(name)!.handles['floatingIp']!;
  const page = async (name: string, path: string) => (await fetch(`http://${floatingIp(name)}${path}`)).text();
  const shown = { timeout: BOOT_MS, interval: 1_000 };

  beforeAll(async () => {
    closePublic = await openPublic(lab!);
    own = await ownCloud(`machines-${siteId}`, 'member');
    cloud = labCloud(own.project.config);
    site = await openstackDriver.open({
      id: siteId,
      name: 'cloud',
      config: {
        auth: own.auth,
        externalNetwork: PUBLIC.name,
        health: { reach: { kind: 'floating-ip' } },
        pollMs: 1_000,
      },
      stateFolder: folder,
      clock: systemClock,
      log: silentLogger,
    });
    await site.fabric.ensureNetwork(network, call());
  }, LONG);

  afterAll(async () => {
    await site?.purge();
    expect(await floatingIps.list(cloud, {}, call().signal)).toEqual([]);
    await site?.close();
    await cloud?.close();
    await own?.project.remove();
    await closePublic?.();
    rmSync(folder, { recursive: true });
  }, LONG);

  test('are ready when they answer at their floating IPs: to a request, to a ping', async () => {
    mkdirSync(join(folder, 'app'));
    writeFileSync(join(folder, 'app/page.html'), 'a file of the package\n');
    const say =
      'echo "$GREETING" >/www/greeting.html; cp /app/page.html /run/superfluidity/facts.json /www/; echo "said $0"';
    const written = { kind: 'http', port: 80, path: '/greeting.html', timeoutMs: BOOT_MS } as const;
    const web = {
      command: ['sh', '-c', say, `it's "5 %" of $HOME`],
      env: { GREETING: 'hello "$HOME" \\ 5 %' },
      files: 'app',
      health: written,
    };
    const other = {
      command: ['ip', 'address', 'add', `${SERVICE}/32`, 'dev', 'eth0'],
      health: { kind: 'ping', timeoutMs: BOOT_MS },
    } as const;
    const serving = { id: 'port-other', name: 'eth0', network: network.id, serviceAddresses: [SERVICE], allow };
    await start(
      spec('web', web, { facts: { rank: 'first' }, baseFolder: folder }),
      spec('other', other, { ports: [serving] }),
    );
    expect(floatingIp('web')).toMatch(/^203\.0\.113\.\d+$/);
  });

  test('have what they were given, and what they print is their output', async () => {
    expect(await page('web', '/greeting.html')).toBe('hello "$HOME" \\ 5 %\n');
    expect(await page('web', '/page.html')).toBe('a file of the package\n');
    expect(JSON.parse(await page('web', '/facts.json'))).toEqual({ rank: 'first' });
    await expect.poll(() => output('web'), shown).toContain(`said it's "5 %" of $HOME`);
  });

  test('are removed when nothing answers, and so is the floating IP', async () => {
    const health = { kind: 'tcp', port: 81, timeoutMs: 2_000 } as const;
    const before = await floatingIps.list(cloud, {}, call().signal);
    await expect(site.ensureUnit(spec('never', { health }), call())).rejects.toMatchObject({
      code: 'SF-SITE-UNIT-NOT-READY',
      message: expect.stringMatching(/tcp 203\.0\.113\.\d+:81/),
    });
    expect((await site.listUnits()).map(({ id }) => id).toSorted()).toEqual(['unit-other', 'unit-web']);
    expect(await floatingIps.list(cloud, {}, call().signal)).toEqual(before);
  });

  test('stand behind a balancer', async ({ skip }) => {
    const { balancing } = await site.fingerprint();
    if (!balancing?.includes('octavia superfluidity')) return skip('the laboratory has no provider that balances');
    const health = { kind: 'http', port: 80, path: '/', timeoutMs: 5_000 } as const;
    const members = ['web', 'other'].map((name) => ({ address: port(name).address, port: 80, draining: false }));
    const balancer = {
      id: 'front',
      service: network.service,
      name: 'front',
      network: network.id,
      address: VIP,
    } as const;
    await site.fabric.ensureBalancer({ ...balancer, port: 80, layer: 'http', members, health }, call());
    const ask = loop(askFor(VIP));
    await start(spec('asker', { command: shell(ask), health: { kind: 'ping', timeoutMs: BOOT_MS } }));
    const answered = async () => new Set((await output('asker')).match(/got \S*machines-(?:web|other)\S*/g)).size;
    await expect.poll(answered, shown).toBe(2);
    await site.fabric.removeBalancer('front', call());
    await site.removeUnit('unit-asker', call());
  });

  test('pass on what a chain leads through them', async ({ skip }) => {
    if (lab!.options.network === 'ovn') return skip('OVN has no service chains');
    const towards = `ip route add ${SERVICE}/32 via ${port('other').address}`;
    const count = `awk '/^Ip: [0-9]/ { print "forwarded", $7 }' /proc/net/snmp`;
    const forward = `cd /proc/sys/net/ipv4; echo 1 >ip_forward; for f in conf/*/send_redirects; do echo 0 >$f; done`;
    const health = { kind: 'ping', timeoutMs: BOOT_MS } as const;
    await start(
      spec('firewall', { command: shell(`${forward}; ${towards}; ${loop(count)}`), forwards: true, health }),
      spec('user', {
        command: shell(`${towards}; ${loop(askFor(SERVICE))}`),
        health,
      }),
    );
    const forwarded = async () =>
      Number(
        (await output('firewall'))
          .match(/forwarded \d+/g)
          ?.at(-1)
          ?.slice(10),
      );
    const got = async () => (await output('user')).match(/got \S*machines-other/g)?.length ?? 0;
    await expect.poll(got, shown).toBeGreaterThan(0);
    expect(await forwarded()).toBe(0);

    const { routerSid } = await site.fingerprint();
    const hops = ['user', 'firewall', 'other'].map((name) => ({ site: site.name, port: port(name), routerSid }));
    const chain = { address: SERVICE, protocol: 'tcp', ports: [80] } as const;
    const paths = renderChain({ chainId: 'chain-machines', version: 1, chain, hops });
    for (const path of paths) await site.fabric.ensurePath(path, call());
    for (const path of activationOrder(paths)) await site.fabric.activatePath(path.chainId, path.version, call());
    await expect.poll(forwarded, shown).toBeGreaterThan(10);
    const before = await got();
    await expect.poll(got, shown).toBeGreaterThan(before + 1);
    await site.fabric.removePath('chain-machines', 1, call());
  });
});
