import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readUpdates, readWiring } from './updates.ts';
import { IncrementalVerifier } from './verifier.ts';

const folder = fileURLToPath(
  new URL('../../../../shared/data/verification/XJTU-NetVerify+apkeep/networks/stanford/', import.meta.url),
);
const reason = existsSync(folder) ? '' : ' (skipped: the data set of APKeep is not there)';
const file = (name: string) => ({ path: name, text: readFileSync(folder + name, 'utf8') });
const updates = (text: string) => readUpdates({ path: 'updates', text });

describe('updates of rules', () => {
  it('are read as they are written', () => {
    expect(
      updates(
        '+ fwd r 167772161 8 eth0 8\n\n- acl r_in access-list in deny 17 17 any null null null 10.0.0.0 0.0.0.255 8998 null 7',
      ),
    ).toEqual([
      { insert: true, rule: { kind: 'forward', box: 'r', address: 0x0a000000, length: 8, port: 'eth0' }, line: 1 },
      {
        insert: false,
        line: 3,
        rule: {
          kind: 'access',
          list: 'r_in',
          action: 'deny',
          priority: 7,
          protocol: { low: 17, high: 17 },
          destination: { value: 0x0a000000, wildcard: 255 },
          destinationPort: { low: 8998, high: 65_535 },
        },
      },
    ]);
  });

  it('are refused with file and line', () => {
    for (const line of [
      '* fwd',
      '+ nat r',
      '+ fwd r 4294967296 8 e 8',
      '+ fwd r 1 33 e 8',
      '+ acl l a n permit',
      '+ acl l a n deny 9 1 any null null null any null null null 1',
      '+ acl l a n deny 1 1 1.2.3 null null null any null null null 1',
    ]) {
      expect(() => updates(`\n${line}`), line).toThrow(/updates:2: /);
    }
  });
});

describe(`the Stanford backbone${reason}`, () => {
  it.skipIf(reason !== '')(
    'has the 515 atomic predicates and the 20 loops that APKeep reports',
    () => {
      const verifier = new IncrementalVerifier(readWiring(file('topo.txt'), file('vlan.txt')));
      const loops = new Set<string>();
      let complete = 0;
      let most = 0;
      const all = readUpdates(file('updates'));
      expect(all).toHaveLength(9_052);
      for (const [i, { insert, rule }] of all.entries()) {
        const update = insert ? verifier.insert(rule) : verifier.remove(rule);
        for (const { ends } of update.loops) loops.add(ends.map(({ node, port }) => `${node} ${port}`).join());
        const atoms = verifier.atoms.forwarding + verifier.atoms.filtering;
        most = Math.max(most, atoms);
        if (i + 1 < all.length && insert && !all[i + 1]!.insert) complete = atoms;
      }
      // With all rules in force. With half of them, more destinations are told apart.
      expect(complete).toBe(515);
      expect(most).toBe(696);
      expect(loops.size).toBe(20);
      expect(verifier.atoms).toEqual({ forwarding: 1, filtering: 1 });
    },
    30_000,
  );
});
