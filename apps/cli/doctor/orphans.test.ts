import type { Orphan } from '@superfluidity/driver-linux/orphans';
import { describe, expect, it } from 'vitest';
import { type OrphanOptions, purgeOrphans } from './orphans.ts';

const site = { id: 'site-1', name: 'edge', stateFolder: '/gone' };
const lost: Orphan = { kind: 'site', key: '0123456789', site, state: 'lost', reason: 'its state folder /gone is gone' };
const stopped: Orphan = { kind: 'site', key: 'abcdefghij', state: 'stopped', reason: 'process 7 ended' };
const probe: Orphan = { kind: 'probe', namespace: 'sf-probe-7-1', state: 'lost', reason: 'process 7 ended' };

async function run(options: Partial<OrphanOptions>, answer: boolean | undefined, orphans = [lost, stopped, probe]) {
  const printed: string[] = [];
  const purged: Orphan[] = [];
  const asked: string[] = [];
  const error: unknown = await purgeOrphans(
    { purgeOrphans: 'lost', yes: false, json: false, ...options },
    {
      print: (text) => printed.push(text),
      find: () => orphans,
      purge: async (orphan) => {
        purged.push(orphan);
        return ['namespace n'];
      },
      ask: async (question) => {
        asked.push(question);
        return answer;
      },
    },
  ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { text: printed.join('\n'), purged, asked, error };
}

describe('purging orphans', () => {
  it('names them first and removes nothing until that is confirmed', async () => {
    for (const answer of [undefined, false]) {
      const { text, purged, asked, error } = await run({}, answer);
      expect(text).toContain('lost     sf-0123456789 (site edge): its state folder /gone is gone');
      expect(text).toContain('kept     sf-abcdefghij: process 7 ended');
      expect(asked).toEqual(['Remove everything of sf-0123456789, sf-probe-7-1? [y/N] ']);
      expect(purged).toEqual([]);
      expect(error).toMatchObject({ code: 'SF-DOCTOR-CONFIRM' });
    }
    expect((await run({}, true)).purged).toEqual([lost, probe]);
  });

  it('keeps what a control plane would find again, unless told otherwise', async () => {
    const { purged, asked, text } = await run({ yes: true }, undefined);
    expect(purged).toEqual([lost, probe]);
    expect(asked).toEqual([]);
    expect(text).toContain('1 things removed of sf-probe-7-1');
    expect((await run({ yes: true, purgeOrphans: 'stopped' }, undefined)).purged).toEqual([lost, stopped, probe]);
  });

  it('asks nothing when there is nothing, and speaks JSON', async () => {
    const { text, asked, error } = await run({}, undefined, [stopped]);
    expect([asked, error]).toEqual([[], undefined]);
    expect(text).toContain('There is nothing to remove.');
    const json = JSON.parse((await run({ yes: true, json: true }, undefined)).text);
    expect(json).toEqual({
      removed: [
        { orphan: lost, removed: ['namespace n'] },
        { orphan: probe, removed: ['namespace n'] },
      ],
      kept: [stopped],
    });
  });
});
