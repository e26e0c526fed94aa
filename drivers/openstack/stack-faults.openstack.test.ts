import { networks, ports } from '@superfluidity/openstack';
import { laboratory } from '@superfluidity/openstack/testing';
import type { Progress, SiteDriver, StackSpec } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultWorld, refusalOf } from './testing/fault-world.ts';

/** Stacks that Heat cannot delete. */

const lab = laboratory();
const why = lab === undefined ? ' (skipped: no OpenStack laboratory runs here)' : '';
const PATIENCE_MS = 900_000;

describe.skipIf(lab === undefined)(`a stack that is in the way of itself${why}`, { timeout: PATIENCE_MS }, () => {
  let world: FaultWorld;
  let site: SiteDriver;

  beforeAll(async () => {
    world = await FaultWorld.make(lab!, `sf-stacks-${process.pid}`);
    site = await world.open();
    await site.fingerprint();
  }, PATIENCE_MS);
  afterAll(async () => {
    await world.closeSites();
    await world.end();
  }, PATIENCE_MS);

  it('says in DELETE_FAILED what holds it, and goes when that is gone', async (context) => {
    if (site.stacks === undefined) return context.skip('the laboratory has no Heat');
    const { stacks } = site;
    const spec: StackSpec = {
      id: `svc-stack-${process.pid}`,
      service: 'svc-faults',
      template: {
        heat_template_version: '2018-08-31',
        resources: {
          data: { type: 'OS::Neutron::Net', properties: { name: 'data' } },
          data_subnet: {
            type: 'OS::Neutron::Subnet',
            properties: { network: { get_resource: 'data' }, cidr: '10.61.1.0/24', ip_version: 4 },
          },
        },
      },
      networks: [{ spec: world.network(), network: 'data', subnet: 'data_subnet' }],
      units: [],
      rollback: false,
    };
    const told: Progress[] = [];
    const tell = (progress: Progress) => void told.push(progress);
    await stacks.ensure(spec, world.call(), tell);
    expect(await world.ours()).toEqual(['network svc-faults.data']);
    // Somebody else uses what the stack has made.
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const made = await networks.find(world.cloud, { name: 'svc-faults.data' }, signal);
    const intruder = await ports.create(world.cloud, { name: 'intruder', network_id: made!.id }, signal);
    const error = await refusalOf(stacks.remove(spec.id, world.call(AbortSignal.timeout(600_000)), tell));
    expect(error.code).toBe('SF-SITE-STACK-FAILED');
    expect(error.details.answer).toMatch(/^DELETE_FAILED: /);
    expect(error.message).toMatch(/data.*OS::Neutron::(?:Net|Subnet).*(?:in use|one or more ports)/i);
    // Neutron's own id of the request, under which its log has it.
    expect(error.message).toMatch(/req-[0-9a-f-]{36}/);
    expect(told.map(({ state }) => state)).toContain('DELETE_FAILED');
    expect(await world.ours()).toEqual(['network svc-faults.data', 'port intruder']);
    await ports.delete(world.cloud, intruder.id, signal);
    await stacks.remove(spec.id, world.call(AbortSignal.timeout(600_000)), tell);
    expect(await world.ours()).toEqual([]);
    expect(await world.foreignIsThere()).toBe(true);
  });
});
