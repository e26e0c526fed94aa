import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@superfluidity/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from './agent.ts';
import './errors.ts';
import { exchange, serve } from './exchange.ts';
import { namespaceOf, type Plug } from './plug.ts';

const lacks = ['ip', 'haproxy'].filter((program) => spawnSync('which', [program]).status !== 0);
const reason = process.getuid?.() === 0 ? lacks[0] : 'root';
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
/** Begins with what nobody else's load balancer begins with: namespaces are the machine's. */
const balancer = `a9e47000-${String(process.pid % 10_000).padStart(4, '0')}-4000-8000-000000000001`;

/** The namespace without a network: what is tried is the agent, between its two sockets and real proxies. */
const plug: Plug = {
  async ensure(tree) {
    const namespace = namespaceOf(tree);
    if (spawnSync('ip', ['netns', 'pids', namespace]).status === 0) return;
    execFileSync('ip', ['netns', 'add', namespace]);
    execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  },
  async remove(tree) {
    spawnSync('ip', ['netns', 'del', namespaceOf(tree)]);
  },
};

describe.skipIf(reason !== undefined)(`the agent${reason === undefined ? '' : ` (needs ${reason})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-octavia-'));
  const at = (name: string) => join(folder, name);
  let driverAgent: Server;
  let agent: Agent;
  let deaf = false;
  /** What octavia-driver-agent heard last, by id. */
  const heard = new Map<string, Record<string, string>>();

  const start = async () => {
    agent = new Agent({
      folder: at('state'),
      socket: at('provider.sock'),
      statusSocket: at('status.sock'),
      statisticsSocket: at('status.sock'),
      plug,
      log: silentLogger,
    });
    await agent.start();
  };
  const call = (name: string, ...given: readonly unknown[]) =>
    exchange(at('provider.sock'), { call: name, arguments: given });
  const until = async <T>(look: () => T, holds: (seen: T) => boolean = Boolean): Promise<T> => {
    for (let tries = 0; tries < 600 && !holds(look()); tries += 1) await new Promise((next) => setTimeout(next, 50));
    expect(look()).toSatisfy(holds);
    return look();
  };
  const processId = () => {
    try {
      const kept = JSON.parse(readFileSync(at(`state/${balancer}.json`), 'utf8')) as { process?: { pid: number } };
      return kept.process?.pid;
    } catch {
      return undefined;
    }
  };

  beforeEach(async () => {
    driverAgent = serve(async (report) => {
      if (deaf) throw new Error('nobody listens');
      for (const line of Object.values(report as Record<string, Record<string, string>[]>).flat())
        heard.set(line['id']!, { ...heard.get(line['id']!), ...line });
      return { status_code: 200 };
    });
    await new Promise<void>((resolve) => driverAgent.listen(at('status.sock'), resolve));
    await start();
  });
  afterEach(async () => {
    await agent.close();
    driverAgent.close();
    const pid = processId();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    spawnSync('ip', ['netns', 'del', `sf-lb-${balancer.slice(0, 13)}`]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('goes on after a restart, of itself and of a proxy, and says what was not heard', {
    timeout: 60_000,
  }, async () => {
    const pool = { pool_id: id(3), protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [] };
    const listener = { listener_id: id(2), protocol: 'HTTP', protocol_port: 80, default_pool: pool };
    const whole = { loadbalancer_id: balancer, vip_address: '127.0.0.1', vip_port_id: id(9), listeners: [listener] };
    expect(await call('loadbalancer_create', whole)).toEqual({ status: 200 });
    await until(() => heard.get(id(2))?.['provisioning_status'] === 'ACTIVE');
    const first = await until(processId);

    await agent.close();
    heard.clear();
    await start();
    await until(() => heard.get(balancer)?.['provisioning_status'] === 'ACTIVE');
    expect(processId()).toBe(first);

    process.kill(first!, 'SIGKILL');
    await until(processId, (pid) => pid !== undefined && pid !== first);

    // A change that could not be reported is reported when somebody listens again.
    deaf = true;
    const member = { member_id: id(4), pool_id: id(3), address: '127.0.0.1', protocol_port: 1, weight: 1 };
    expect(await call('member_create', member)).toEqual({ status: 200 });
    await new Promise((next) => setTimeout(next, 500));
    expect(heard.has(id(4))).toBe(false);
    deaf = false;
    await until(() => heard.get(id(4))?.['provisioning_status'] === 'ACTIVE');
    expect(heard.get(id(4))).toMatchObject({ operating_status: 'NO_MONITOR' });

    const refused = await call('listener_create', {
      ...listener,
      listener_id: id(5),
      loadbalancer_id: balancer,
      protocol: 'SCTP',
    });
    expect(refused).toMatchObject({ status: 501, fault: expect.stringContaining('SCTP') });
    expect(await call('member_update', { member_id: id(77) }, {})).toMatchObject({ status: 500 });
    expect(await exchange(at('provider.sock'), ['nonsense'])).toMatchObject({ status: 501 });

    deaf = true;
    expect(await call('loadbalancer_delete', { loadbalancer_id: balancer }, true)).toEqual({ status: 200 });
    await new Promise((next) => setTimeout(next, 300));
    await agent.close();
    deaf = false;
    await start();
    await until(() =>
      [balancer, id(2), id(3), id(4)].every((one) => heard.get(one)?.['provisioning_status'] === 'DELETED'),
    );
    await until(
      () => readdirSync(at('state')),
      (names) => names.length === 0,
    );
    expect(
      execFileSync('ip', ['netns', 'list'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ).not.toContain(`sf-lb-${balancer.slice(0, 13)}`);
  });
});

test('the agent refuses a folder that is too deep for the sockets of its proxies', async () => {
  const path = join(tmpdir(), 'x'.repeat(80));
  const deep = new Agent({
    folder: path,
    socket: path,
    statusSocket: path,
    statisticsSocket: path,
    plug,
    log: silentLogger,
  });
  await expect(deep.start()).rejects.toMatchObject({
    code: 'SF-OCTAVIA-FOLDER',
    message: expect.stringContaining('may have 97'),
  });
});
