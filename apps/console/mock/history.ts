import type { Operation, OperationDetail, ServiceDetail, SiteDetail, Unit } from '@superfluidity/api';
import { makeAnomalies } from './anomalies.ts';
import { characterisationsAt } from './characterisations.ts';
import { smallText } from './descriptors.ts';
import { proofOf } from './proof.ts';
import { failureOf } from './failure.ts';
import { makeScaling } from './scaling.ts';
import { makeSite } from './make-site.ts';
import type { World } from './world.ts';

const CATALOGUE = [
  ['campus-firewall', 'native', 'ENABLED', 'IN_USE'],
  ['hackfest-basic', 'osm', 'ENABLED', 'NOT_IN_USE'],
  ['mec-video-cache', 'sol006', 'ENABLED', 'NOT_IN_USE'],
  ['vepc', 'tosca', 'DISABLED', 'NOT_IN_USE'],
  ['click-router', 'click', 'ENABLED', 'NOT_IN_USE'],
] as const;

const PAST = [
  { service: 'mobile-edge', kind: 'INSTANTIATE', state: 'COMPLETED', automatic: false, params: {} },
  {
    service: 'mobile-edge',
    kind: 'SCALE',
    state: 'COMPLETED',
    automatic: false,
    params: { unit: 'video/server', count: 3 },
  },
  { service: 'mobile-edge', kind: 'HEAL', state: 'COMPLETED', automatic: true, params: {} },
  { service: 'campus-firewall', kind: 'INSTANTIATE', state: 'ROLLED_BACK', automatic: false, params: {} },
  {
    service: 'mobile-edge',
    kind: 'SCALE',
    state: 'FAILED',
    automatic: false,
    params: { unit: 'video/server', count: 40 },
  },
  {
    service: 'mobile-edge',
    kind: 'SCALE',
    state: 'COMPLETED',
    automatic: false,
    params: { unit: 'video/server', count: 1 },
  },
] as const satisfies readonly Pick<Operation, 'service' | 'kind' | 'state' | 'automatic' | 'params'>[];

/** What a console is mostly opened for: things have happened before. */
export function makeHistory(world: World): void {
  for (const one of characterisationsAt(Date.now())) world.characterisations.set(one.name, one);
  const now = Date.now();
  const day = 86_400_000;
  world.sites.set('metro', busySite(world, 'metro', 96));
  world.services.set('campus-firewall', campusFirewall(now - 3 * day));
  makeScaling(world);
  makeAnomalies(world);
  for (const [i, [name, format, operationalState, usageState]] of CATALOGUE.entries()) {
    const id = `desc-0mkc${i}`;
    const source = smallText(name, `1.${i}`);
    const version = `1.${i}+${(i * 7_919_393).toString(16).padStart(8, '0')}`;
    const states = { onboardingState: 'ONBOARDED', operationalState, usageState } as const;
    world.descriptors.set(id, { id, name, version, format, ...states, createdAt: now - (i + 1) * day, source });
  }
  for (const [i, [name, role]] of (
    [
      ['ci-pipeline', 'admin'],
      ['grafana', 'reader'],
      ['noc', 'reader'],
    ] as const
  ).entries())
    world.tokens.push({
      id: `tok-0mkh${i}`,
      name,
      user: name === 'noc' ? 'noc' : 'admin',
      role,
      createdAt: now - (9 - i) * day,
    });
  for (const [i, [name, role, disabled]] of (
    [
      ['giulia', 'admin', false],
      ['noc', 'reader', false],
      ['former-contractor', 'reader', true],
    ] as const
  ).entries()) {
    const nothing = { hasPassword: false, tokenCount: 0, sessionCount: 0 };
    const times = { createdAt: now - (20 - i) * day, ...(i === 0 ? { signedInAt: now - 3 * 3_600_000 } : {}) };
    world.users.push({ id: `usr-0mkh${i}`, name, role, disabled, ...nothing, ...times });
    if (name !== 'noc') world.passwords.set(name, `${name} has a password`);
  }
  world.descriptors.set('desc-0mkheat', {
    id: 'desc-0mkheat',
    name: 'web-stack',
    version: '1.0+5eed5eed',
    format: 'heat',
    onboardingState: 'ONBOARDED',
    operationalState: 'ENABLED',
    usageState: 'NOT_IN_USE',
    createdAt: now - 2 * day,
    source: 'heat_template_version: 2018-08-31\n# name: web-stack\nparameters:\n  flavor: {type: string}\n',
  });
  for (const [i, [name, kind, usedBy]] of (
    [
      ['campus-clouds', 'cloud', [{ kind: 'site', name: 'core' }]],
      ['harbour', 'registry', [{ kind: 'service', name: 'mobile-edge' }]],
      ['bastion', 'ssh-key', []],
    ] as const
  ).entries()) {
    const times = { createdAt: now - (30 - i) * day, updatedAt: now - (6 - i) * day };
    const fingerprint = (0x9e3779b97f4a7c15n * BigInt(i + 1)).toString(16).slice(-16);
    const rest = { kind, version: i + 1, fingerprint, setBy: i === 0 ? 'giulia' : 'admin', ...times };
    world.secrets.set(name, { name, ...rest, usedBy: [...usedBy] });
  }
  for (const [i, past] of PAST.entries()) {
    const startedAt = now - (PAST.length - i) * 47 * 60_000;
    const stateEnteredAt = startedAt + 900 + i * 170;
    const failed = past.state === 'FAILED' || past.state === 'ROLLED_BACK';
    const error = failureOf({ title: 'create vm video/server#0 on core/c2' });
    const operation: OperationDetail = {
      id: `op-0mk0000${String(i).padStart(2, '0')}`,
      cancelPending: false,
      executor: 'srv-mock',
      ...past,
      startedAt,
      stateEnteredAt,
      ...(failed ? { error } : {}),
      policies: { planned: 'holds', realised: i === 3 ? 'violated' : i % 4 === 1 ? 'unknown' : 'holds' },
      realised: proofOf(i === 3 ? 'violated' : i % 4 === 1 ? 'unknown' : 'holds', 'realised'),
      steps: ['grant', 'create', 'switch', 'remove'].map((id, n, all) => ({
        id,
        title: `${id} ${n === 0 ? 'resources' : 'container video/server#0 on core/c1'}`,
        verb: id,
        dependsOn: n === 0 ? [] : [all[n - 1]!],
        state: failed && n > 1 ? 'undone' : 'done',
        attempt: 1,
        startedAt: startedAt + n * 200,
        endedAt: startedAt + n * 200 + 150,
      })),
    };
    world.operations.set(operation.id, operation);
  }
}

/** A service of which one unit is not well. */
function campusFirewall(createdAt: number): ServiceDetail {
  const units = Array.from({ length: 6 }, (_, i): Unit => {
    const gate = i < 2;
    return {
      id: `unit-0mkf${i}`,
      path: gate ? 'gate/filter' : 'inspect/probe',
      index: gate ? i : i - 2,
      environment: gate ? 'nft' : 'container',
      site: 'metro',
      host: `m${i + 1}`,
      state: i === 4 ? 'failed' : 'running',
      ports: [
        {
          name: 'eth0',
          network: 'campus',
          address: `10.60.0.${i + 10}`,
          mac: `02:42:0a:3c:00:0${i}`,
          sid: `fd00:9::${i}`,
        },
      ],
      pooled: gate,
      telemetry: false,
    };
  });
  const wanted = (path: string, environment: Unit['environment'], count: number) => ({
    path,
    environment,
    wanted: count,
  });
  return {
    id: 'svc-0mkf',
    name: 'campus-firewall',
    descriptorId: 'desc-0mkc0',
    version: '1.0+00000000',
    state: 'INSTANTIATED',
    healthy: false,
    unitCount: units.length,
    runningCount: units.length - 1,
    sites: ['metro'],
    createdAt,
    functions: [
      { name: 'gate', units: [wanted('gate/filter', 'nft', 2)] },
      { name: 'inspect', units: [wanted('inspect/probe', 'container', 4)] },
    ],
    units,
    chains: [],
  };
}

/** A site that others use too, by different amounts: waves with some noise, the same each time. */
export function busySite(world: World, name: string, count: number): SiteDetail {
  const share = (i: number) =>
    Math.min(0.99, Math.max(0.02, 0.45 + 0.4 * Math.sin(i / 9) + 0.15 * Math.sin(i * 12.9898)));
  const hosts = Array.from({ length: count }, (_, i) => ({
    name: `m${i + 1}`,
    cpu: 32,
    memoryMiB: 131_072,
    environments: ['container', 'vm', 'nft'] as SiteDetail['hosts'][number]['environments'],
  }));
  const site = makeSite(name, 'metro', hosts);
  for (const [i, host] of site.hosts.entries()) {
    world.others.set(`${name}/${host.name}`, share(i));
    const memoryMiB = Math.round(share(i) * 0.8 * host.memoryMiB);
    host.used = { cpu: Math.round(share(i) * host.cpu * 10) / 10, memoryMiB, storageMiB: 0 };
    host.schedulable = i % 31 !== 30;
  }
  const sum = (of: (host: SiteDetail['hosts'][number]) => number) =>
    site.hosts.reduce((total, host) => total + of(host), 0);
  const used = { cpu: sum((host) => host.used.cpu), memoryMiB: sum((host) => host.used.memoryMiB) };
  return { ...site, kind: 'simulated', realPackets: false, unitCount: 6, used };
}
