import { describe, expect, it } from 'vitest';
import { attentionOf } from './attention.ts';
import { aService, aSite, aUnit, anOperation } from './fixtures.ts';

describe('what needs attention', () => {
  it('is what waits, then sites, then services; what is under way comes last', () => {
    const ill = { ...aService([aUnit('web', 0, 'a/h'), aUnit('web', 1, 'a/h')]), healthy: false, runningCount: 1 };
    const found = attentionOf({
      operations: [
        anOperation({ id: 'op-2', state: 'PROCESSING', service: 'other', kind: 'HEAL' }),
        anOperation({ id: 'op-3', state: 'FAILED_TEMP', service: 'third', error: { code: 'X', message: 'no room' } }),
        anOperation({ state: 'COMPLETED' }),
      ],
      sites: [aSite('edge', ['e1']), aSite('core', ['c1'], { healthy: false })],
      services: [ill, { ...ill, name: 'other' }, { ...ill, name: 'young', state: 'NOT_INSTANTIATED' }],
    });
    expect(found).toEqual([
      { kind: 'waiting', id: 'op-3', name: 'Move video to edge, third', why: 'no room' },
      { kind: 'site', id: 'core', name: 'core', why: 'does not answer' },
      { kind: 'service', id: 'shop', name: 'shop', why: '1 of 2 units do not run' },
      { kind: 'running', id: 'op-2', name: 'Heal other', why: 'is under way' },
    ]);
    expect(attentionOf({ operations: [], sites: [aSite('edge', [])], services: [aService([])] })).toEqual([]);
  });
});
