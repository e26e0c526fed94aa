import { expect, it } from 'vitest';
import { readLinks } from './links.ts';
import { looksLikeNeighbours, readNeighbours } from './links-yaml.ts';

const pairs = (links: readonly { readonly from: string; readonly to: string }[]) =>
  links.map(({ from, to }) => `${from} ${to}`).toSorted();

it('links are one way or both, switched off, or four words', () => {
  const text =
    'a:eth0 -> b:eth1\n# no\na:a:x <-> c:y // the same box\na:eth9 !> b:eth9\na:eth9 |> b:eth8\na te1/1 b te2/1\na b\n';
  const { value, reading } = readLinks({ path: 'l', text });
  expect(pairs(value)).toEqual(['a:eth0 b:eth1', 'a:te1/1 b:te2/1', 'a:x c:y', 'c:y a:x']);
  expect(reading.lines).toMatchObject({ used: 3, 'without effect': 2, 'not understood': 1 });
});

it('neighbours as LLDP hears them are wires, whichever end says so', () => {
  const text = [
    '# wires',
    'edge:',
    '  eth1: core:eth0   # up',
    '  eth2: [core:eth3, "other:eth1"]',
    '  eth3: { system: core, port: eth4 }',
    '  eth4:',
    '    - core:eth5',
    'core:',
    '  eth0: edge:eth1',
    '  eth9: nobody',
    '  deep:',
    '    er: x:y',
    '',
  ].join('\n');
  expect(looksLikeNeighbours(text, 'wires.yaml')).toBe(true);
  const { value, reading } = readNeighbours({ path: 'wires.yaml', text });
  expect(pairs(value)).toEqual([
    'core:eth0 edge:eth1',
    'core:eth3 edge:eth2',
    'core:eth4 edge:eth3',
    'core:eth5 edge:eth4',
    'edge:eth1 core:eth0',
    'edge:eth2 core:eth3',
    'edge:eth2 other:eth1',
    'edge:eth3 core:eth4',
    'edge:eth4 core:eth5',
    'other:eth1 edge:eth2',
  ]);
  expect(reading.remarks.map(({ line, fate }) => [line, fate])).toEqual([
    [10, 'not understood'],
    [12, 'not understood'],
  ]);
});
