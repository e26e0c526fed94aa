import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { activationOrder, type PortStatus, renderChain } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteDriver } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLinks } from '@superfluidity/netlink';
import { scopeOf } from '@superfluidity/router';
import {
  all,
  assemble,
  compare,
  constant,
  explore,
  field,
  layout,
  reach,
  read,
  type Start,
} from '../../packages/verify/index.ts';
import { linuxDriver } from './index.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';

/** What a site says of its data plane, against the packets that go through it: a chain over two sites, one way only. */
const SERVICE_ADDRESS = '10.99.7.10';
const PORT = 9000;
const SUPERNET = '10.67.0.0/16';
const PREFIX = { edge: '10.67.1.0/24', core: '10.67.2.0/24' } as const;
const TIMEOUT_MS = 60_000;
const PACKETS = 20;

const firewall: Execution = {
  environment: 'nft',
  program: `table ip fw {
  chain pass { type filter hook forward priority 0; policy drop; udp dport ${PORT} counter accept; }
}
`,
  forwards: true,
};
const gateway: Execution = {
  environment: 'nft',
  program: `table ip nat {
  chain out { type nat hook postrouting priority srcnat; ip saddr ${SUPERNET} masquerade; }
}
`,
  forwards: true,
};
const node = (script: string): Execution => ({ environment: 'process', command: [process.execPath, '-e', script] });
/** Takes what comes and says nothing. */
const sink = node(`require('node:dgram').createSocket('udp4').bind(${PORT}, '0.0.0.0')`);
const idle = node('setInterval(() => {}, 1000)');
const SENDER = `
const socket = require('node:dgram').createSocket('udp4');
let left = ${PACKETS};
const send = () => socket.send('x', ${PORT}, '${SERVICE_ADDRESS}', () => (left -= 1) > 0 ? send() : socket.close());
send();
`;

const reason = missingForKernelTests(['ip', 'nft']);
const SITES = (['edge', 'core'] as const).map((name) => ({ id: newId('site'), name }));

describe.skipIf(reason !== undefined)(titled('the data plane of a site', reason), { timeout: TIMEOUT_MS }, () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-data-plane-'));
  const sites = {} as Record<'edge' | 'core', SiteDriver>;
  const ports = new Map<
    string,
    { readonly site: 'edge' | 'core'; readonly port: PortStatus; readonly namespace: string }
  >();
  const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(TIMEOUT_MS) });

  const start = async (site: 'edge' | 'core', name: string, execution: Execution, serviceAddresses: string[] = []) => {
    const port = { id: `port-${name}`, name: 'eth0', network: `net-${site}`, serviceAddresses };
    const status = await sites[site].ensureUnit(
      {
        id: `unit-${name}`,
        service: 'svc-data-plane',
        path: name,
        index: 0,
        host: 'h1',
        execution,
        cpu: 0.2,
        memoryMiB: 64,
        storageMiB: 1,
        ports: [port],
        facts: {},
      },
      call(),
    );
    ports.set(name, { site, port: status.ports[0]!, namespace: status.handles['namespace']! });
  };

  const dumps = async () => Promise.all(SITES.map(({ name }) => sites[name].readDataPlane!()));
  const network = async () => {
    const files = (await dumps()).flatMap((dump) => dump.files);
    return assemble(
      'sites',
      files.map(({ name, text }) => ({ path: name, text })),
    );
  };

  /** Packets of the user to the service, as the sender sends them. */
  const packets = (): Start => {
    const { port, namespace } = ports.get('user')!;
    const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const is = (name: string, value: number) => compare(read(field(name)), '==', constant(value, field(name).width));
    return {
      port: `${namespace}:local:in`,
      layouts: [layout('ipv4/udp')!],
      assume: all(
        is('IPv4.src', number(port.address)),
        is('IPv4.dst', number(SERVICE_ADDRESS)),
        is('UDP.dport', PORT),
        is('IPv4.ttl', 64),
        is('IPv4.length', 29),
      ),
    };
  };

  const arrives = async () => reach((await network()).network, packets(), ports.get('server')!.namespace);
  const inNamespace = (namespace: string, ...argv: string[]) =>
    execFileSync('ip', ['netns', 'exec', namespace, ...argv], { encoding: 'utf8' });

  /** Packets that each interface of the sites has received so far. */
  const received = () => {
    const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
    const own = namespaces
      .map((line) => line.split(' ')[0]!)
      .filter((name) => SITES.some(({ id }) => name.startsWith(scopeOf(id).prefix)) && !/-w-[^-]*$/.test(name));
    return new Map(
      own.flatMap((name) =>
        listLinks(name, { traffic: true }).map(
          (link) => [`${name}:${link.name}`, link.traffic?.rxPackets ?? 0] as const,
        ),
      ),
    );
  };

  beforeAll(async () => {
    for (const { id, name } of SITES) {
      const config = { hosts: [{ name: 'h1', cpu: 8, memoryMiB: 8192 }] };
      sites[name] = await linuxDriver.open({ id, name, config, stateFolder, clock: systemClock, log: silentLogger });
      const { [name]: prefix } = PREFIX;
      await sites[name].fabric.ensureNetwork(
        { id: `net-${name}`, service: 'svc-data-plane', name: 'data', prefix, supernet: SUPERNET, mtu: 1500 },
        call(),
      );
    }
    const link = { id: newId('link'), a: 'edge', b: 'core', latencyMs: 1, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
    for (const { name } of SITES) await sites[name].fabric.ensureLink(link, call());
    await Promise.all([
      start('edge', 'user', idle),
      start('edge', 'firewall', firewall),
      start('core', 'gateway', gateway),
      start('core', 'server', sink, [SERVICE_ADDRESS]),
    ]);
    const hops = await Promise.all(
      ['user', 'firewall', 'gateway', 'server'].map(async (name) => {
        const { site, port } = ports.get(name)!;
        const { routerSid } = await sites[site].fingerprint();
        return { site, port, routerSid, ...(name === 'gateway' ? { translates: SUPERNET } : {}) };
      }),
    );
    const chain = { address: SERVICE_ADDRESS, protocol: 'udp', ports: [PORT] } as const;
    const paths = renderChain({ chainId: 'chain-data-plane', version: 1, chain, hops });
    for (const path of paths) await sites[path.site as 'edge'].fabric.ensurePath(path, call());
    for (const path of activationOrder(paths)) {
      await sites[path.site as 'edge'].fabric.activatePath(path.chainId, path.version, call());
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    for (const site of Object.values(sites)) {
      await site.purge();
      await site.close();
    }
    rmSync(stateFolder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  test('is read fast, whole, and understood to the last line', async () => {
    const begun = performance.now();
    const [edge, core] = await dumps();
    const milliseconds = performance.now() - begun;
    // Half a second on a machine that has time; this one may be busy.
    expect(milliseconds).toBeLessThan(10_000);
    expect(await dumps()).toEqual([edge, core]);
    const names = [edge!, core!].flatMap(({ files }) => files.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    const { readings, network: made } = await network();
    expect(
      readings.flatMap(({ file, remarks }) =>
        remarks.filter(({ fate }) => fate === 'not understood').map((one) => ({ file, ...one })),
      ),
    ).toEqual([]);
    for (const { portId, place } of [...edge!.ports, ...core!.ports]) {
      expect(place).toBe(`${ports.get(portId.replace('port-', ''))!.namespace}:eth0`);
      expect(made.programs.has(`${place}:in`)).toBe(true);
    }
  });

  test('leads packets over the interfaces over which they go', async () => {
    const { network: made } = await network();
    const delivered = explore(made, packets()).paths.filter(({ outcome }) => outcome === 'delivered');
    expect(delivered.map(({ port, doubts }) => ({ port, doubts }))).toEqual([
      { port: `${ports.get('server')!.namespace}:local:out`, doubts: [] },
    ]);
    const modelled = delivered[0]!.hops
      .map(({ port }) => /^(.*):in$/.exec(port)?.[1] ?? '')
      .filter((place) => place !== '' && !place.endsWith(':local'));
    const before = received();
    inNamespace(ports.get('user')!.namespace, process.execPath, '-e', SENDER);
    await expect
      .poll(
        () =>
          (received().get(`${ports.get('server')!.namespace}:eth0`) ?? 0) -
          before.get(`${ports.get('server')!.namespace}:eth0`)!,
        { timeout: 10_000 },
      )
      .toBe(PACKETS);
    const real = [...received()].filter(([place, count]) => count - (before.get(place) ?? 0) > 0);
    // The link between the sites is told as a wire: what it stands on is left out.
    const told = real.filter(([place]) => !/:(?:u\d+|lo)$/.test(place));
    const count = (place: string) => modelled.filter((one) => one === place).length * PACKETS;
    expect(Object.fromEntries(told.map(([place, now]) => [place, now - (before.get(place) ?? 0)]))).toEqual(
      Object.fromEntries(modelled.map((place) => [place, count(place)])),
    );
    // As they look to the server: the gateway translates.
    const { port } = ports.get('gateway')!;
    const source = port.address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
    expect(delivered[0]!.ranges(field('IPv4.src'))).toEqual([[source, source]]);
  });

  test('has another verdict when one rule or one route is taken away', async () => {
    expect((await arrives()).answer).toBe('holds');
    const { namespace } = ports.get('firewall')!;
    inNamespace(namespace, 'nft', 'flush chain ip fw pass');
    const refused = await arrives();
    expect(refused.answer).not.toBe('holds');
    inNamespace(namespace, 'nft', `add rule ip fw pass udp dport ${PORT} accept`);
    expect((await arrives()).answer).toBe('holds');

    const host = `${scopeOf(SITES[1]!.id).prefix}h-h1`;
    const route = [`${ports.get('gateway')!.port.sid}/128`, 'dev', 'up'];
    const before = inNamespace(host, 'ip', '-6', 'route', 'show', route[0]!).trim().split(/\s+/);
    inNamespace(host, 'ip', '-6', 'route', 'del', ...route);
    expect((await arrives()).answer).not.toBe('holds');
    inNamespace(host, 'ip', '-6', 'route', 'add', ...before.filter((word) => word !== 'pref' && word !== 'medium'));
    expect((await arrives()).answer).toBe('holds');
  });
});
