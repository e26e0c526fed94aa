import { silentLogger, systemClock } from '@superfluidity/core';
import { NeutronPorts } from '@superfluidity/driver-openstack';
import { type Keep, KURYR, PortsPool } from '@superfluidity/fabric';
import { agents, Cloud, networks, ports, securityGroups, subnets } from '@superfluidity/openstack';
import { timing } from '../statistics.ts';
import type { Case } from './case.ts';
import { ratioOf } from './report.ts';

/** Units asked for at once: the axis of figure 39 of the original, and a burst. */
const BURSTS = [1, 5, 10, 20, 50, 200] as const;
/** Each port that is made on demand takes a second: fewer rounds of many, and with few rounds not so many. */
const roundsOf = (burst: number, rounds: number) => (burst === 1 ? rounds : burst <= 10 ? 3 : 1);

/** One port that is ready for a unit, out of the pool and made on the spot, alone and many at once. */
export const pools: Case = async ({ lab, project, rounds }, found) => {
  const signal = AbortSignal.timeout(3_600_000);
  let calls = 0;
  const cloud = new Cloud({
    // Binding ports to hosts is for administrators.
    config: lab,
    clock: systemClock,
    log: silentLogger,
    onRequest: ({ service }) => void (calls += service === 'network' ? 1 : 0),
  });
  const [agent] = await agents.list(cloud, { agent_type: 'Open vSwitch agent' }, signal);
  if (agent === undefined) throw new Error('the laboratory has no Open vSwitch agent');
  const network = await networks.create(cloud, { name: 'bench-pools', project_id: project.id }, signal);
  const subnet = {
    project_id: project.id,
    network_id: network.id,
    ip_version: 4,
    cidr: '10.80.0.0/16',
    enable_dhcp: false,
  } as const;
  await subnets.create(cloud, subnet, signal);
  const group = await securityGroups.create(cloud, { name: 'bench-pools', project_id: project.id }, signal);
  const place = { project: project.id, at: agent.host, network: network.id };
  const backend = new NeutronPorts({
    cloud,
    clock: systemClock,
    siteTags: ['superfluidity', 'superfluidity:site=bench'],
    pool: 'bench',
    binding: 'bound',
    pollMs: 100,
  });
  const open = (keep: Keep) =>
    new PortsPool({
      backend,
      clock: systemClock,
      log: silentLogger,
      keep,
      updateEveryMs: 600_000,
      orderMost: 10,
      readyTimeoutMs: 300_000,
      stopwatch: () => performance.now(),
    });
  const ask = (pool: PortsPool) => pool.acquire({ ...place, groups: [group.id] }, signal);
  const empty = async () => {
    const left = await ports.list(cloud, { network_id: network.id }, signal);
    await Promise.all(left.map(({ id }) => ports.delete(cloud, id, signal)));
  };
  /** As anybody would without a pool: a request for each, and a look at each until it is ACTIVE. */
  const onDemand = async () => {
    const fields = {
      project_id: project.id,
      network_id: network.id,
      security_groups: [group.id],
      'binding:host_id': agent.host,
      device_owner: 'compute:bench',
    };
    let port = await ports.create(cloud, fields, signal);
    while (port.status !== 'ACTIVE') {
      await systemClock.sleep(100, signal);
      port = await ports.show(cloud, port.id, signal);
    }
    return port;
  };
  const timed = async (work: () => Promise<unknown>) => {
    const startedMs = performance.now();
    await work();
    return performance.now() - startedMs;
  };

  try {
    for (const burst of BURSTS.filter((units) => units <= rounds * 10)) {
      const times = roundsOf(burst, rounds);
      const without: number[] = [];
      let callsWithout = 0;
      for (let round = 0; round < times; round += 1) {
        const before = calls;
        without.push(await timed(() => Promise.all(Array.from({ length: burst }, onDemand))));
        callsWithout += (calls - before) / times;
        await empty();
      }
      const pool = open({ ...KURYR, minimum: burst, batch: 10, foresees: false });
      pool.want(place, [group.id]);
      await full(pool, burst);
      const out: number[] = [];
      let callsWith = 0;
      for (let round = 0; round < times; round += 1) {
        const before = calls;
        let got: readonly { readonly id: string }[] = [];
        out.push(
          await timed(async () => {
            got = await Promise.all(Array.from({ length: burst }, () => ask(pool)));
          }),
        );
        callsWith += (calls - before) / times;
        for (const { id } of got) pool.release(id);
        await pool.settled();
        await full(pool, burst);
      }
      await pool.drain();
      await pool.close();
      const what = burst === 1 ? 'one wired port' : `${burst} wired ports at once, until the last`;
      const pooled = timing(`${what}: from the pool`, out);
      const made = timing(`${what}: made on demand`, without);
      found.row(pooled);
      found.row(made);
      found.ratio(ratioOf(`${what}: pool / on demand`, pooled, made, burst === 1 ? 0.05 : undefined));
      found.burst({
        units: burst,
        poolMs: pooled.p50,
        demandMs: made.p50,
        poolCalls: callsWith,
        demandCalls: callsWithout,
      });
    }

    // Nothing is ready, and 50 ask: few requests for many.
    const cold = open({ ...KURYR, foresees: false });
    const before = calls;
    const coldMs = await timed(() => Promise.all(Array.from({ length: 50 }, () => ask(cold))));
    found.figure('50 wired ports at once from an empty pool, ms until the last', Math.round(coldMs));
    found.figure('50 wired ports at once from an empty pool: calls of Neutron', calls - before);
    await cold.drain();
    await cold.close();
    found.note(
      'ports of the pool were ACTIVE before they were asked for; those made on demand were awaited by polling',
    );
  } finally {
    await empty();
    await networks.delete(cloud, network.id, signal);
    await securityGroups.delete(cloud, group.id, signal);
    await cloud.close();
  }
};

async function full(pool: PortsPool, size: number): Promise<void> {
  while ((pool.stats()[0]?.ready ?? 0) < size) await systemClock.sleep(100);
}
