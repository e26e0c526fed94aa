import { describe, expect, it } from 'vitest';
import { aService, aSite, aUnit, anOperation } from './fixtures.ts';
import {
  descriptorMay,
  operationMay,
  operationVerbs,
  planMay,
  serviceMay,
  siteMay,
  siteMayHost,
  terminalMay,
  tokenMay,
} from './permitted.ts';

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

describe('every action in every state', () => {
  const told = (may: ReturnType<typeof serviceMay>) => may.allowed || /^[A-Z].{8,}\.?$/.test(may.reason);
  const states = ['INSTANTIATED', 'NOT_INSTANTIATED'] as const;
  const verbs = ['move', 'scale', 'heal', 'terminate'] as const;
  const sites = [aSite('edge', ['e1']), aSite('core', ['c1'])];

  it('of a service is allowed or says why not, and nothing is while another operation is under way', () => {
    let refused = 0;
    for (const verb of verbs)
      for (const state of states)
        for (const busy of [{}, { busy: 'op-1' }])
          for (const unitCount of [0, 1])
            for (const there of [[], sites.slice(1), sites]) {
              const may = serviceMay(verb, { state, unitCount, ...busy }, there);
              expect(told(may), JSON.stringify({ verb, state, busy, unitCount })).toBe(true);
              if ('busy' in busy || (state === 'NOT_INSTANTIATED' && verb !== 'terminate'))
                expect(may.allowed).toBe(false);
              if (verb === 'terminate' && !('busy' in busy)) expect(may.allowed).toBe(true);
              if (!may.allowed) refused += 1;
            }
    expect(refused).toBeGreaterThan(40);
  });

  it('of an operation is allowed or says why not', () => {
    const all = [
      'STARTING',
      'PROCESSING',
      'COMPLETED',
      'FAILED_TEMP',
      'ROLLING_BACK',
      'ROLLED_BACK',
      'FAILED',
    ] as const;
    for (const verb of operationVerbs)
      for (const state of all)
        for (const cancelPending of [false, true])
          expect(told(operationMay(verb, { state, cancelPending })), `${verb} ${state}`).toBe(true);
  });

  it('of a terminal is what the server offers, with its reason', () => {
    expect(terminalMay({ possible: true })).toEqual({ allowed: true });
    expect(terminalMay({ possible: false, reason: 'the unit is failed' })).toEqual({
      allowed: false,
      reason: 'No terminal: the unit is failed.',
    });
    expect(told(terminalMay({ possible: false }))).toBe(true);
  });
});

describe('what may be done with the rest', () => {
  it('has a reason where it may not', () => {
    const descriptor = { onboardingState: 'ONBOARDED', operationalState: 'ENABLED', usageState: 'NOT_IN_USE' } as const;
    expect(descriptorMay('deploy', descriptor).allowed).toBe(true);
    expect(descriptorMay('delete', descriptor)).toEqual({ allowed: false, reason: 'It is enabled. Disable it first.' });
    const disabled = { ...descriptor, operationalState: 'DISABLED' } as const;
    expect([descriptorMay('delete', disabled).allowed, descriptorMay('deploy', disabled).allowed]).toEqual([
      true,
      false,
    ]);
    expect(descriptorMay('delete', { ...disabled, usageState: 'IN_USE' }).allowed).toBe(false);
    expect(siteMay('remove', { unitCount: 0 }).allowed).toBe(true);
    expect(siteMay('remove', { unitCount: 3 }).allowed).toBe(false);
    const [boss, bot] = [
      { name: 'boss', role: 'admin' },
      { name: 'bot', role: 'reader' },
    ] as const;
    expect(tokenMay(bot, [boss, bot], 'boss').allowed).toBe(true);
    expect(tokenMay(boss, [boss, bot], 'boss').allowed).toBe(false);
    expect(tokenMay(boss, [boss, bot], 'other').allowed).toBe(false);
    expect(planMay(undefined, false).allowed).toBe(false);
    expect(planMay({}, false).allowed).toBe(true);
  });
});
