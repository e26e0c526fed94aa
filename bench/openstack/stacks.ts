import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { writeSitePart } from '@superfluidity/dialects';
import { openstackDriver } from '@superfluidity/driver-openstack';
import type { BalancerSpec, NetworkSpec } from '@superfluidity/fabric';
import { authWords } from '@superfluidity/openstack/testing';
import type { StackSpec, UnitSpec } from '@superfluidity/site';
import { timing } from '../statistics.ts';
import type { Case } from './case.ts';
import { ratioOf } from './report.ts';

const SERVICE = 'bench';

/** Of thirty resources of Heat, which. */
interface Shape {
  readonly title: string;
  /** Each with its port. */
  readonly units: number;
  /** Ports that one unit or another lets in: a group of rules for each, and one for those that say nothing. */
  readonly open: readonly number[];
  /** A load balancer with its listener, its pool, what asks members for their health, and a member for each unit. */
  readonly balanced: boolean;
}

const SHAPES: readonly Shape[] = [
  // A network, its subnet, two groups, thirteen ports and servers: as much Nova as thirty resources can have.
  { title: 'thirty resources', units: 13, open: [80], balanced: false },
  // A network, its subnet, three groups, seven ports and servers, and eleven of Octavia.
  { title: 'thirty resources with a balancer', units: 7, open: [80, 443], balanced: true },
];

const network: NetworkSpec = {
  id: `${SERVICE}.apps`,
  service: SERVICE,
  name: 'apps',
  prefix: '10.67.0.0/24',
  supernet: '10.67.0.0/16',
  mtu: 1_500,
};

function balancerOf(units: readonly UnitSpec[]): BalancerSpec {
  return {
    id: `${SERVICE}.front`,
    service: SERVICE,
    name: 'front',
    network: network.id,
    address: '10.67.0.200',
    port: 80,
    layer: 'http',
    members: units.map(({ ports: [port] }) => ({ address: port!.address!, port: 80, draining: false })),
    health: { kind: 'http', port: 80, path: '/', timeoutMs: 2_000, intervalMs: 5_000 },
  };
}

/** The same in the words of Heat; nothing waits for a unit, as addresses are given. */
function balancerResources({ address, members }: BalancerSpec, subnet: string): Readonly<Record<string, unknown>> {
  const one = (type: string, properties: Readonly<Record<string, unknown>>) => ({
    type: `OS::Octavia::${type}`,
    properties,
  });
  const of = (name: string) => ({ get_resource: name });
  return {
    front: one('LoadBalancer', { vip_subnet: of(subnet), vip_address: address, provider: 'superfluidity' }),
    front_pool: one('Pool', { loadbalancer: of('front'), protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }),
    front_listener: one('Listener', {
      loadbalancer: of('front'),
      default_pool: of('front_pool'),
      protocol: 'HTTP',
      protocol_port: 80,
    }),
    front_health: one('HealthMonitor', {
      pool: of('front_pool'),
      type: 'HTTP',
      url_path: '/',
      delay: 5,
      timeout: 2,
      max_retries: 3,
    }),
    ...Object.fromEntries(
      members.map((member, at) => [
        `front_member_${at}`,
        one('PoolMember', { pool: of('front_pool'), address: member.address, protocol_port: member.port }),
      ]),
    ),
  };
}

function unitsAt(host: string, round: string, { units, open }: Shape): readonly UnitSpec[] {
  return Array.from({ length: units }, (_, index): UnitSpec => {
    const id = `unit-${round}-${index}`;
    const port = [undefined, ...open][index % (open.length + 1)];
    const allow = port === undefined ? [] : [{ protocol: 'tcp' as const, ports: [port] }];
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
          address: `10.67.0.${10 + index}`,
          serviceAddresses: [],
          ...(allow.length === 0 ? {} : { allow }),
        },
      ],
      facts: {},
    };
  });
}

function stackOf(units: readonly UnitSpec[], balanced: boolean): StackSpec {
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
    template: balanced
      ? withBalancer(template, balancerResources(balancerOf(units), names.networks[0]!.subnet))
      : template,
    networks: [{ spec: network, ...names.networks[0]! }],
    units: units.map((spec, at) => ({ spec, ...names.units[at]! })),
    rollback: false,
  };
}

function withBalancer(template: StackSpec['template'], more: Readonly<Record<string, unknown>>): StackSpec['template'] {
  return { ...template, resources: { ...(template['resources'] as Readonly<Record<string, unknown>>), ...more } };
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
  // Of one call: on a slow machine all rounds together take more than an hour.
  const call = () => ({ key: 'bench', fence: 1, signal: AbortSignal.timeout(600_000) });
  try {
    const host = (await site.fingerprint()).hosts[0]!.name;
    const direct = async (round: string, shape: Shape) => {
      const units = unitsAt(host, `direct-${round}`, shape);
      const balancer = balancerOf(units);
      const startedMs = performance.now();
      await site.fabric.ensureNetwork(network, call());
      const outcomes = await site.ensureUnits(units, call());
      if (shape.balanced) await site.fabric.ensureBalancer(balancer, call());
      const tookMs = performance.now() - startedMs;
      const failed = outcomes.find((one) => !one.ok);
      if (failed !== undefined) throw failed.error;
      await site.fabric.removeBalancer(balancer.id, call());
      await site.removeUnits(
        units.map(({ id }) => id),
        call(),
      );
      await site.fabric.removeNetwork(network.id, call());
      return tookMs;
    };
    const heat = async (round: string, shape: Shape) => {
      const spec = stackOf(unitsAt(host, `heat-${round}`, shape), shape.balanced);
      const startedMs = performance.now();
      await site.stacks!.ensure(spec, call(), () => {});
      const tookMs = performance.now() - startedMs;
      await site.stacks!.remove(spec.id, call(), () => {});
      return tookMs;
    };
    for (const shape of SHAPES) {
      const times: { direct: number[]; heat: number[] } = { direct: [], heat: [] };
      for (let round = 0; round < rounds; round += 1) {
        times.direct.push(await direct(String(round), shape));
        times.heat.push(await heat(String(round), shape));
      }
      const [ours, theirs] = [
        timing(`${shape.title}, by calls`, times.direct),
        timing(`${shape.title}, by Heat`, times.heat),
      ];
      found.row(ours);
      found.row({ ...theirs, peer: true });
      found.ratio(ratioOf(`${shape.title}: by calls to by Heat`, ours, theirs, 1 / 2));
    }
  } finally {
    await site.purge();
    await site.close();
    rmSync(stateFolder, { recursive: true, force: true });
  }
};
