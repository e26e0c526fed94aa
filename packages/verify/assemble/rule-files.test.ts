import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assemble, destinations, layouts, parseFilter, reach, ruleFiles, rulesInForce } from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const files = [
  {
    path: 'updates',
    text: [
      '+ fwd a 167772160 8 te1/1 8',
      '+ fwd a 167837696 16 vlan7 16',
      '+ fwd b 167772160 8 te2/2 8',
      '+ fwd b 0 0 te9/9 0',
      '- fwd b 0 0 te9/9 0',
      '+ acl b_rtr_in access-list in deny 6 6 any null null null any null 80 80 2',
      '- fwd a 167772160 8 te1/1 8',
      '',
    ].join('\n'),
  },
  { path: 'topo.txt', text: 'a te1/1 b te2/1\n' },
  { path: 'vlan.txt', text: 'a vlan7 te1/1\n' },
  { path: 'parameters.json', text: '{}\n' },
];

describe('a recording of rules', () => {
  it('is the network with the rules that were in force when it was complete', () => {
    const { network, entries, readings } = assemble('net', files);
    expect(entries.toSorted()).toEqual(['a:in', 'b:in']);
    expect(readings.map(({ format, lines }) => [format, lines.used, lines['without effect']])).toEqual([
      ['rule updates', 6, 1],
      ['wires of rules', 1, 0],
      ['wires of rules', 1, 0],
      ['beside rules', 0, 1],
    ]);
    const asked = (packet: string, to: string) =>
      reach(network, { port: 'a:in', layouts: tcp, assume: parseFilter(packet) }, to).answer;
    expect([
      asked('dst host 10.1.0.1', 'b:te2/2'),
      asked('dst host 10.9.0.1', 'b:te2/2'),
      asked('dst host 8.8.8.8', 'b'),
    ]).toEqual(['holds', 'holds', 'violated']);
  });

  it('is refused without its wires', () => {
    expect(() => assemble('net', [files[0]!])).toThrow('updates:1: there is no topo.txt with the wires beside it');
  });
});

const folder = fileURLToPath(
  new URL('../../../../shared/data/verification/XJTU-NetVerify+apkeep/networks/stanford/', import.meta.url),
);
const absent = existsSync(folder) ? '' : ' (skipped: the data set of APKeep is not there)';

it.skipIf(absent !== '')(`the Stanford backbone as APKeep has it is answered by sets${absent}`, () => {
  const names = ['updates', 'topo.txt', 'vlan.txt', 'parameters.json'];
  const found = ruleFiles(names.map((path) => ({ path, text: readFileSync(folder + path, 'utf8') })))!;
  expect(found.rules).toHaveLength(9_052 / 2);
  const ends = destinations(rulesInForce(found), found.wiring, 'yoza_rtr');
  expect(ends.filter(({ outcome }) => outcome === 'delivered').length).toBeGreaterThan(100);
});
