import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { activationOrder, type ChainHop, type PortStatus, renderChain, type SitePath } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import { scopeOf } from '@superfluidity/router';
import type { SiteDriver, UnitSpec } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxDriver } from './index.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';

/**
 * The chain of the mobile-edge example with real packets: a user streams over radio, gateway and firewall at the edge
 * from a server in the core, and goes on without a failed request while the server moves to the edge.
 */
const SERVICE_ADDRESS = '10.99.0.10';
const LATENCY_MS = 8;
const PREFIX = { edge: '10.60.1.0/24', core: '10.60.2.0/24' } as const;
const SUPERNET = '10.60.0.0/16';
const TIMEOUT_MS = 60_000;

/** Counts what passes, each way, and remembers the TTLs it saw on the way to the service: every router takes one off. */
const watcher = (name: string) => `table ip watch {
  counter there { }
  counter back { }
  set ttls { typeof ip ttl; flags dynamic; }
  chain pass {
    type filter hook forward priority 0; policy accept;
    ip daddr ${SERVICE_ADDRESS} counter name there update @ttls { ip ttl }
    ip saddr ${SERVICE_ADDRESS} counter name back
  }
}
${
  name === 'epc'
    ? `table ip nat {
  chain out { type nat hook postrouting priority srcnat; ip saddr ${SUPERNET} masquerade; }
}
`
    : ''
}`;

const packetFunction = (name: string): Execution => ({ environment: 'nft', program: watcher(name), forwards: true });

/** Answers who it is, and how the client looks to it. A draining one says `close` and keeps serving. */
const SERVER = `
const server = require('node:http').createServer((request, response) => {
  if (draining) response.setHeader('connection', 'close');
  response.setHeader('x-served-by', process.env.WHERE);
  response.end(request.socket.remoteAddress + ' ' + 'x'.repeat(20000));
});
let draining = false;
process.on('SIGTERM', () => { draining = true; });
server.keepAliveTimeout = 60000;
server.listen(8080, '0.0.0.0');
`;

/** One request after the other over a connection that is kept; one line for each. */
const CLIENT = `
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ask = () => {
  const start = performance.now();
  const done = (fields) => {
    console.log(JSON.stringify({ ...fields, ms: performance.now() - start }));
    setTimeout(ask, 10);
  };
  const request = http.get({ host: '${SERVICE_ADDRESS}', port: 8080, agent, timeout: 5000 }, (answer) => {
    let body = '';
    answer.on('data', (chunk) => { body += chunk; });
    answer.on('end', () => done({ ok: answer.statusCode === 200 && body.length > 20000, from: answer.headers['x-served-by'], seen: body.split(' ')[0] }));
  });
  request.on('timeout', () => request.destroy(new Error('timeout')));
  request.on('error', (error) => done({ ok: false, error: error.message }));
};
ask();
`;

interface ClientRecord {
  readonly ok: boolean;
  readonly from?: string;
  readonly seen?: string;
  readonly error?: string;
  readonly ms: number;
}

const reason = missingForKernelTests(['ip', 'nft']);

/** Everything on the machine that a site could leave behind. */
function inventory(): Record<string, readonly string[]> {
  const lines = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { encoding: 'utf8' }).split('\n').filter(Boolean).toSorted();
  const own = (all: readonly string[]) => all.filter((line) => SITES.some(({ scope }) => line.includes(scope.key)));
  return {
    namespaces: own(lines('ip', 'netns', 'list')),
    links: own(lines('ip', '-br', 'link')),
    tables: own(lines('nft', 'list', 'tables')),
    mounts: own(lines('cat', '/proc/self/mountinfo')),
    cgroups: own(lines('find', '/sys/fs/cgroup', '-type', 'd', '-path', '*superfluidity*')),
    processes: own(lines('ps', '-eo', 'args')),
    files: own(existsSync('/run/superfluidity') ? readdirSync('/run/superfluidity') : []),
  };
}

const SITES = (['edge', 'core'] as const).map((name) => {
  const id = newId('site');
  return { id, name, scope: scopeOf(id) };
});

describe.skipIf(reason !== undefined)(titled('a service chain over two sites', reason), { timeout: TIMEOUT_MS }, () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-chain-'));
  const sites = {} as Record<'edge' | 'core', SiteDriver>;
  const ports = new Map<
    string,
    { readonly site: 'edge' | 'core'; readonly port: PortStatus; readonly namespace: string }
  >();
  let before: ReturnType<typeof inventory>;
  const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(TIMEOUT_MS) });

  const start = async (site: 'edge' | 'core', name: string, execution: Execution, service?: string) => {
    const spec: UnitSpec = {
      id: `unit-${name}`,
      service: 'mobile-edge',
      path: name,
      index: 0,
      host: 'h1',
      execution,
      cpu: 0.2,
      memoryMiB: 128,
      storageMiB: 1,
      ports: [
        {
          id: `port-${name}`,
          name: 'eth0',
          network: `net-${site}`,
          serviceAddresses: service === undefined ? [] : [service],
        },
      ],
      facts: {},
    };
    const status = await sites[site].ensureUnit(spec, call());
    ports.set(name, { site, port: status.ports[0]!, namespace: status.handles['namespace']! });
  };

  const server = (where: string): Execution => ({
    environment: 'process',
    command: [process.execPath, '-e', SERVER],
    env: { WHERE: where },
    health: { kind: 'tcp', port: 8080, timeoutMs: 20_000 },
    drain: { signal: 'SIGTERM', timeoutMs: 10_000 },
  });

  const hops = async (names: readonly string[]): Promise<readonly ChainHop[]> =>
    Promise.all(
      names.map(async (name) => {
        const { site, port } = ports.get(name)!;
        const { routerSid } = await sites[site].fingerprint();
        return { site, port, routerSid, ...(name === 'epc' ? { translates: SUPERNET } : {}) };
      }),
    );

  const install = async (version: number, names: readonly string[]): Promise<readonly SitePath[]> => {
    const chain = { address: SERVICE_ADDRESS, protocol: 'tcp', ports: [8080] } as const;
    const paths = renderChain({ chainId: 'chain-video', version, chain, hops: await hops(names) });
    for (const path of paths) await sites[path.site as 'edge'].fabric.ensurePath(path, call());
    for (const path of activationOrder(paths)) {
      await sites[path.site as 'edge'].fabric.activatePath(path.chainId, path.version, call());
    }
    return paths;
  };

  const records = async (): Promise<readonly ClientRecord[]> => {
    const { lines } = await sites.edge.readOutput('unit-ue', 0);
    return lines.map((line) => JSON.parse(line) as ClientRecord);
  };

  const until = async (condition: () => Promise<boolean>) => {
    const deadline = Date.now() + 20_000;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify((await records()).slice(-3))}`);
      await systemClock.sleep(50);
    }
  };

  const counted = (name: string) => {
    const list = (...args: readonly string[]) =>
      JSON.parse(
        execFileSync('ip', ['netns', 'exec', ports.get(name)!.namespace, 'nft', '-j', ...args], { encoding: 'utf8' }),
      ).nftables as readonly Partial<Record<'counter' | 'set', Readonly<Record<string, unknown>>>>[];
    const counters = list('list', 'counters')
      .map(({ counter }) => counter)
      .filter((counter) => counter !== undefined);
    const of = (wanted: string) => Number(counters.find((counter) => counter['name'] === wanted)?.['packets']);
    const set = list('list', 'set', 'ip', 'watch', 'ttls').find((entry) => 'set' in entry)!.set!;
    return { there: of('there'), back: of('back'), ttls: (set['elem'] ?? []) as readonly number[] };
  };

  beforeAll(async () => {
    before = inventory();
    for (const { id, name } of SITES) {
      sites[name] = await linuxDriver.open({
        id,
        name,
        config: { hosts: [{ name: 'h1', cpu: 8, memoryMiB: 8192 }] },
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      });
      await sites[name].fabric.ensureNetwork(
        {
          id: `net-${name}`,
          service: 'mobile-edge',
          name: 'data',
          prefix: PREFIX[name],
          supernet: SUPERNET,
          mtu: 1500,
        },
        call(),
      );
    }
    const link = {
      id: newId('link'),
      a: 'edge',
      b: 'core',
      latencyMs: LATENCY_MS,
      jitterMs: 0,
      loss: 0,
      bandwidthMbps: 500,
    };
    for (const { name } of SITES) await sites[name].fabric.ensureLink(link, call());
    await Promise.all([
      start('edge', 'rrh', packetFunction('rrh')),
      start('edge', 'bbu', packetFunction('bbu')),
      start('edge', 'epc', packetFunction('epc')),
      start('core', 'firewall', packetFunction('firewall')),
      start('core', 'video', server('core'), SERVICE_ADDRESS),
    ]);
  }, TIMEOUT_MS);

  afterAll(async () => {
    for (const site of Object.values(sites)) {
      await site.purge();
      await site.close();
    }
    rmSync(stateFolder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  test('carries requests through every function in order and back, between the sites as SRv6', async () => {
    const router = SITES[0]!.scope.router;
    const probe =
      'table inet probe {\n counter srv6 { }\n counter plain { }\n chain f { type filter hook forward priority 0;\n  oifname "x0" meta nfproto ipv6 exthdr rt exists counter name srv6\n  oifname "x0" meta nfproto ipv4 counter name plain\n }\n}\n';
    execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: probe });

    await start('edge', 'ue', { environment: 'process', command: [process.execPath, '-e', CLIENT] });
    await install(1, ['ue', 'rrh', 'bbu', 'epc', 'firewall', 'video']);
    await until(async () => (await records()).filter(({ ok }) => ok).length >= 20);

    const all = await records();
    const good = all.filter(({ ok }) => ok);
    expect(all.filter(({ ok }, i) => !ok && i > all.indexOf(good[0]!))).toEqual([]);
    expect(new Set(good.map(({ from }) => from))).toEqual(new Set(['core']));
    // The server sees the gateway, not the user: the translation is in the way.
    expect(new Set(good.map(({ seen }) => seen))).toEqual(new Set([ports.get('epc')!.port.address]));
    for (const { ms } of good) expect(ms).toBeGreaterThan(2 * LATENCY_MS);

    const functions = ['rrh', 'bbu', 'epc', 'firewall'].map((name) => ({ name, ...counted(name) }));
    for (const { there, back } of functions) {
      expect(there).toBeGreaterThanOrEqual(good.length);
      expect(back).toBeGreaterThanOrEqual(good.length);
    }
    const ttls = functions.map(({ ttls: seen }) => seen);
    expect(ttls.map((seen) => seen.length)).toEqual([1, 1, 1, 1]);
    expect(ttls.flat()).toEqual(ttls.flat().toSorted((a, b) => b - a));
    expect(new Set(ttls.flat()).size).toBe(4);

    const counters = JSON.parse(
      execFileSync('ip', ['netns', 'exec', router, 'nft', '-j', 'list', 'counters'], { encoding: 'utf8' }),
    ).nftables as readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
    const packets = (name: string) => counters.find((entry) => entry.counter?.name === name)?.counter?.packets;
    expect(packets('srv6')).toBeGreaterThanOrEqual(good.length);
    expect(packets('plain')).toBe(0);
  });

  test('moves the server to the edge under a running stream without a failed request', async () => {
    const { edge, core } = sites;
    const start0 = (await records()).length;
    expect(await edge.fabric.countFlows('chain-video', 1)).toBe(1);
    await start('edge', 'firewall2', packetFunction('firewall2'));
    await start('edge', 'video2', server('edge'), SERVICE_ADDRESS);
    await install(2, ['ue', 'rrh', 'bbu', 'epc', 'firewall2', 'video2']);
    // The stream stays on its connection, hence where it was, until the old server lets go of it.
    const atActivation = (await records()).length;
    await until(async () => (await records()).length >= atActivation + 10);
    expect(new Set((await records()).slice(start0, atActivation + 10).map(({ from }) => from))).toEqual(
      new Set(['core']),
    );
    await core.drainUnit('unit-video', call());
    await until(async () => (await edge.fabric.countFlows('chain-video', 1)) === 0);
    await until(async () => (await records()).filter(({ from }) => from === 'edge').length >= 20);

    for (const site of [edge, core]) await site.fabric.removePath('chain-video', 1, call());
    await core.removeUnits(['unit-video', 'unit-firewall'], call());
    const length = (await records()).length;
    await until(async () => (await records()).length >= length + 20);

    const all = (await records()).slice(start0);
    expect(all.filter(({ ok }) => !ok)).toEqual([]);
    const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
    const far = median(all.filter(({ from }) => from === 'core').map(({ ms }) => ms));
    const near = median(all.filter(({ from }) => from === 'edge').map(({ ms }) => ms));
    expect(near).toBeLessThan(far - LATENCY_MS);
    expect(all.findLastIndex(({ from }) => from === 'core')).toBeLessThan(all.findIndex(({ from }) => from === 'edge'));
  });

  test('goes on after the control plane was restarted', async () => {
    await sites.edge.close();
    const { id, name } = SITES[0]!;
    const config = { hosts: [{ name: 'h1', cpu: 8, memoryMiB: 8192 }] };
    sites.edge = await linuxDriver.open({ id, name, config, stateFolder, clock: systemClock, log: silentLogger });
    const length = (await records()).length;
    await until(async () => (await records()).length >= length + 20);
    await install(2, ['ue', 'rrh', 'bbu', 'epc', 'firewall2', 'video2']);
    expect((await records()).slice(length).filter(({ ok }) => !ok)).toEqual([]);
  });

  test('reaches a server that is alone in its site, beside another chain of the same users and functions', async () => {
    const address = '10.99.0.11';
    await start('core', 'alone', server('alone'), address);
    const paths = renderChain({
      chainId: 'chain-alone',
      version: 1,
      chain: { address, protocol: 'tcp', ports: [8080] },
      hops: await hops(['ue', 'rrh', 'alone']),
    });
    for (const path of paths) await sites[path.site as 'edge'].fabric.ensurePath(path, call());
    for (const path of activationOrder(paths)) {
      await sites[path.site as 'edge'].fabric.activatePath(path.chainId, path.version, call());
    }
    const before = (await records()).length;
    const argv = ['netns', 'exec', ports.get('ue')!.namespace, 'timeout', '5', 'busybox', 'wget', '-q', '-O', '-'];
    const body = execFileSync('ip', [...argv, `http://${address}:8080/`], { encoding: 'utf8' });
    expect(body.split(' ')[0]).toBe(ports.get('ue')!.port.address);
    await until(async () => (await records()).length >= before + 10);
    expect((await records()).filter(({ ok }, i) => !ok && i >= before)).toEqual([]);
  });

  test('leaves nothing behind', async () => {
    for (const site of Object.values(sites)) expect((await site.purge()).length).toBeGreaterThan(0);
    expect(inventory()).toEqual(before);
  });
});
