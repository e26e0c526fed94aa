import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { writeSitePart } from '@superfluidity/dialects';
import { openstackDriver } from '@superfluidity/driver-openstack';
import type { NetworkSpec } from '@superfluidity/fabric';
import { authWords } from '@superfluidity/openstack/testing';
import type { StackSpec, UnitSpec } from '@superfluidity/site';
import { timing } from '../statistics.ts';
import type { Case } from './case.ts';
import { ratioOf } from './report.ts';

/** A network, its subnet, two groups of rules, and so many ports and servers: thirty resources. */
const UNITS = 13;
const SERVICE = 'bench';

const network: NetworkSpec = {
  id: `${SERVICE}.apps`,
  service: SERVICE,
  name: 'apps',
  prefix: '10.67.0.0/24',
  supernet: '10.67.0.0/16',
  mtu: 1_500,
};

function unitsAt(host: string, round: string): readonly UnitSpec[] {
  return Array.from({ length: UNITS }, (_, index): UnitSpec => {
    const id = `unit-${round}-${index}`;
    const allow = index % 2 === 0 ? [] : [{ protocol: 'tcp' as const, ports: [80] }];
    return {
      id,
      service: SERVICE,
      path: 'web/web',
      index,
      host,
      execution: { environment: 'vm', image: 'name:lab-image' },
      cpu: 1,
      memoryMiB: 64,
      storageMiB: 0,
      ports: [
        {
          id: `${id}.eth0`,
          name: 'eth0',
          network: network.id,
          serviceAddresses: [],
          ...(allow.length === 0 ? {} : { allow }),
        },
      ],
      facts: {},
    };
  });
}

function stackOf(units: readonly UnitSpec[]): StackSpec {
  const { template, ...names } = writeSitePart({
    description: 'Thirty resources',
    networks: [network],
    units: units.map((spec) => ({
      path: spec.path,
      index: spec.index,
      generation: 1,
      forwards: false,
      ports: spec.ports.map((port) => ({ ...port, network: network.name })),
      after: [],
    })),
  });
  return {
    id: `${SERVICE}@bench`,
    service: SERVICE,
    template,
    networks: [{ spec: network, ...names.networks[0]! }],
    units: units.map((spec, at) => ({ spec, ...names.units[at]! })),
    rollback: false,
  };
}

/** The same thirty resources, by calls of the services and as a stack of Heat, by turns; until all servers run. */
export const stacks: Case = async ({ project, rounds }, found) => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-bench-'));
  const site = await openstackDriver.open({
    id: newId('site'),
    name: 'bench',
    config: { auth: authWords(project.config), hosts: 'zones' },
    stateFolder,
    clock: systemClock,
    log: silentLogger,
  });
  const call = { key: 'bench', fence: 1, signal: AbortSignal.timeout(3_600_000) };
  try {
    const host = (await site.fingerprint()).hosts[0]!.name;
    const direct = async (round: string) => {
      const units = unitsAt(host, `direct-${round}`);
      const startedMs = performance.now();
      await site.fabric.ensureNetwork(network, call);
      const outcomes = await site.ensureUnits(units, call);
      const tookMs = performance.now() - startedMs;
      const failed = outcomes.find((one) => !one.ok);
      if (failed !== undefined) throw failed.error;
      await site.removeUnits(
        units.map(({ id }) => id),
        call,
      );
      await site.fabric.removeNetwork(network.id, call);
      return tookMs;
    };
    const heat = async (round: string) => {
      const spec = stackOf(unitsAt(host, `heat-${round}`));
      const startedMs = performance.now();
      await site.stacks!.ensure(spec, call, () => {});
      const tookMs = performance.now() - startedMs;
      await site.stacks!.remove(spec.id, call, () => {});
      return tookMs;
    };
    const times: { direct: number[]; heat: number[] } = { direct: [], heat: [] };
    for (let round = 0; round < rounds; round += 1) {
      times.direct.push(await direct(String(round)));
      times.heat.push(await heat(String(round)));
    }
    const [ours, theirs] = [
      timing('thirty resources, by calls', times.direct),
      timing('thirty resources, by Heat', times.heat),
    ];
    found.row(ours);
    found.row({ ...theirs, peer: true });
    found.ratio(ratioOf('thirty resources: by calls to by Heat', ours, theirs, 1 / 2));
  } finally {
    await site.purge();
    await site.close();
    rmSync(stateFolder, { recursive: true, force: true });
  }
};
