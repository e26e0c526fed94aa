import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { Execution } from '@superfluidity/model';
import type { PoolClass, SiteDriver, UnitSpec } from '@superfluidity/site';
import { createNamespace, deleteNamespace, namespacePath } from '@superfluidity/netlink';
import { run } from '@superfluidity/router';
import { linuxDriver } from './index.ts';
import { containerConfig } from './runtime/oci-spec.ts';
import { prepareHostRootfs, removeRootfs } from './runtime/rootfs.ts';

/**
 * How long it takes from the call to a unit that runs and has answered a ping, with and without the pool, beside what
 * the machine's own tools need for less. `node drivers/linux/provision.bench.ts [--count 100] [--vms 20] [--json]`
 */
const NETWORK = 'net-bench';
const READY_TIMEOUT_MS = 300_000;
const POOL_SIZE = 8;

interface Row {
  readonly what: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    vms: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(values.count);
const vms = Number(values.vms);

const health = { kind: 'ping', timeoutMs: 120_000 } as const;
const kinds: readonly { readonly name: string; readonly execution: Execution; readonly count: number }[] = [
  {
    name: 'packet function',
    execution: {
      environment: 'nft',
      program: 'table ip f {\n chain c { type filter hook forward priority 0; }\n}\n',
      forwards: true,
      health,
    },
    count,
  },
  {
    name: 'container',
    execution: { environment: 'container', image: 'host:', command: ['sleep', '1000'], health },
    count,
  },
  { name: 'micro-VM', execution: { environment: 'vm', image: 'guest:', command: [], health }, count: vms },
];

function call() {
  return { key: 'bench', fence: 1, signal: AbortSignal.timeout(READY_TIMEOUT_MS) };
}

function row(what: string, times: readonly number[]): Row {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
  const rounded = (ms: number) => Math.round(ms * 100) / 100;
  return { what, count: times.length, p50: rounded(at(0.5)), p99: rounded(at(0.99)), max: rounded(at(1)) };
}

async function timed(times: number, work: (i: number) => Promise<unknown>, after: (i: number) => Promise<unknown>) {
  const results: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const start = performance.now();
    await work(i);
    results.push(performance.now() - start);
    await after(i);
  }
  return results;
}

async function provision(driver: SiteDriver): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const kind of kinds) {
    if (kind.count === 0) continue;
    const template: PoolClass['template'] = {
      service: 'bench',
      path: kind.name,
      host: 'h1',
      execution: kind.execution,
      cpu: kind.execution.environment === 'vm' ? 1 : 0.1,
      memoryMiB: 96,
      storageMiB: 1,
      ports: [{ name: 'eth0', network: NETWORK, serviceAddresses: [] }],
    };
    const spec = (i: number): UnitSpec => ({
      ...template,
      id: `bench-${kind.execution.environment}-${i}`,
      index: i,
      ports: [{ ...template.ports[0]!, id: `port-${kind.execution.environment}-${i}` }],
      facts: { name: String(i) },
    });
    const full = async () => {
      const deadline = performance.now() + READY_TIMEOUT_MS;
      while ((await driver.poolStatus()).some(({ ready, wanted }) => ready < wanted)) {
        if (performance.now() > deadline) throw new Error('the pool does not fill');
        await systemClock.sleep(20);
      }
    };
    let pooled = 0;
    const ensure = async (i: number) => {
      if ((await driver.ensureUnit(spec(i), call())).pooled) pooled += 1;
    };
    const remove = (i: number) => driver.removeUnit(spec(i).id, call());
    const size = kind.execution.environment === 'vm' ? 2 : POOL_SIZE;
    await driver.prepare('bench', [{ template, size }], call());
    await full();
    const warm = await timed(kind.count, ensure, async (i) => {
      await remove(i);
      await full();
    });
    if (pooled !== kind.count) throw new Error(`${pooled} of ${kind.count} came from the pool`);
    rows.push(row(`${kind.name}, from the pool`, warm));
    await driver.prepare('bench', [], call());
    const cold = Math.min(kind.count, kind.execution.environment === 'vm' ? 5 : kind.count);
    rows.push(row(`${kind.name}, without pool`, await timed(cold, ensure, remove)));
  }
  return rows;
}

/** The machine's own tools, which do less: no address that answers, no isolation, no health check. */
async function byHand(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-bench-'));
  const namespace = `sf-bench-${process.pid}`;
  createNamespace(namespace);
  try {
    mkdirSync(join(folder, 'state'));
    const config = containerConfig({
      ...prepareHostRootfs(folder),
      args: ['true'],
      networkNamespace: namespacePath(namespace),
      cgroup: `/superfluidity-bench/${process.pid}`,
    });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const runc = await timed(
      count,
      (i) => run(['runc', '--root', join(folder, 'state'), 'run', '--bundle', folder, `bench-${i}`]),
      async () => {},
    );
    const name = (i: number) => `sf-bench-${process.pid}-${i}`;
    const ip = await timed(
      count,
      async (i) => {
        await run(['ip', 'netns', 'add', name(i)]);
        await run(['ip', 'link', 'add', `sfb${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name(i)]);
        await run(['ip', '-n', name(i), 'addr', 'add', '192.0.2.2/24', 'dev', 'eth0']);
        await run(['ip', '-n', name(i), 'link', 'set', 'eth0', 'up']);
        await run(['ip', 'link', 'set', `sfb${i}`, 'up']);
      },
      (i) => run(['ip', 'netns', 'del', name(i)]),
    );
    return [row('runc run (true)', runc), row('ip netns add + veth + address', ip)];
  } finally {
    deleteNamespace(namespace);
    await removeRootfs(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-bench-site-'));
const driver = await linuxDriver.open({
  id: newId('site'),
  name: 'bench',
  config: { hosts: [{ name: 'h1', cpu: 64, memoryMiB: 65_536 }] },
  stateFolder,
  clock: systemClock,
  log: silentLogger,
});
try {
  await driver.fabric.ensureNetwork(
    { id: NETWORK, service: 'bench', name: 'data', prefix: '10.72.0.0/20', supernet: '10.72.0.0/16', mtu: 1500 },
    call(),
  );
  const rows = [...(await provision(driver)), ...(await byHand())];
  const machine = { cores: availableParallelism(), kernel: release(), node: process.version, load: loadavg()[0] };
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${JSON.stringify(machine)}\n`);
    for (const { what, count: n, p50, p99, max } of rows) {
      process.stdout.write(`${what.padEnd(32)} n=${n}  p50 ${p50} ms  p99 ${p99} ms  max ${max} ms\n`);
    }
  }
} finally {
  await driver.purge();
  await driver.close();
  rmSync(stateFolder, { recursive: true, force: true });
}
