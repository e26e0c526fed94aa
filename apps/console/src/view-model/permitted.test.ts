import { describe, expect, it } from 'vitest';
import { aService, aSite, aUnit, anOperation } from './fixtures.ts';
import { operationMay, operationVerbs, serviceMay, siteMayHost } from './permitted.ts';

const allowed = (more: Parameters<typeof anOperation>[0]) =>
  operationVerbs.filter((verb) => operationMay(verb, anOperation(more)).allowed);

describe('what may be done with an operation', () => {
  it('follows its state', () => {
    expect(allowed({ state: 'FAILED_TEMP' })).toEqual(['retry', 'rollback', 'continue', 'fail']);
    expect(allowed({ state: 'PROCESSING' })).toEqual(['cancel']);
    expect(allowed({ state: 'PROCESSING', cancelPending: true })).toEqual([]);
    for (const state of ['COMPLETED', 'FAILED', 'ROLLED_BACK'] as const) expect(allowed({ state })).toEqual([]);
  });

  it('comes with a reason when it may not', () => {
    expect(operationMay('retry', anOperation())).toEqual({
      allowed: false,
      reason: 'The operation is over: completed.',
    });
  });
});

describe('what may be done with a service', () => {
  const sites = [aSite('edge', ['e1']), aSite('core', ['c1'])];
  const service = aService([aUnit('web', 0, 'core/c1')]);

  it('waits for the operation under way', () => {
    expect(serviceMay('move', service, sites).allowed).toBe(true);
    expect(serviceMay('terminate', { ...service, busy: 'op-1' }, sites).allowed).toBe(false);
  });

  it('needs another site for a move', () => {
    expect(serviceMay('move', service, sites.slice(1)).allowed).toBe(false);
    expect(serviceMay('scale', service, sites.slice(1)).allowed).toBe(true);
  });

  it('says why a site cannot take the units', () => {
    const vm = aUnit('web', 0, 'core/c1', { environment: 'vm' });
    expect(siteMayHost(sites[0]!, service.units)).toEqual({ allowed: true });
    expect(siteMayHost(sites[1]!, service.units)).toEqual({ allowed: false, reason: 'it is there now' });
    expect(siteMayHost(sites[0]!, [vm])).toEqual({ allowed: false, reason: 'has no host for environment vm' });
    expect(siteMayHost(aSite('x', ['h'], { healthy: false }), [])).toEqual({ allowed: false, reason: 'not healthy' });
  });
});
