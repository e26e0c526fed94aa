import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { analyse } from '../analysis/analyse.ts';
import { readCharacterisation } from '../config/read.ts';
import { table7 } from '../testing/table-7.ts';
import { escaped, short, ticks } from './markup.ts';
import { reportPage } from './report.ts';

const read = readCharacterisation(
  readFileSync(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url)),
);
if (!('characterisation' in read)) throw new Error('unreadable');
const { characterisation } = read;

test('the page shows the templates, a plot of each metric, and the rules', () => {
  const page = reportPage(characterisation, analyse(characterisation, table7(characterisation)));
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page.match(/&#9733;/g)).toHaveLength(6);
  expect(page).toContain('vnic_type = normal and vm_vcpus &gt; 2');
  expect(page).toContain('48 experiments, 960 samples');
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test('what files say stays text', () => {
  const evil = `<script>alert("1")</script>'&`;
  const made = {
    ...characterisation,
    serviceId: evil,
    parameters: characterisation.parameters.map((one) =>
      one.name === 'vnic_type' ? { ...one, values: ['normal', evil] } : one,
    ),
  };
  const page = reportPage(made, analyse(made, table7(characterisation)));
  expect(page).not.toContain('<script');
  expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;');
  expect(page).not.toMatch(/<[^>]+\s(?:src|href|on\w+)=/);
  expect(escaped('\u0000\u009b')).toBe('  ');
});

test('marks are round numbers within the range', () => {
  expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(97, 103)).toEqual([98, 100, 102]);
  expect(ticks(3, 3)).toEqual([3]);
  expect([short(0.000012), short(1234.5), short(12e7), short(Number.NaN)]).toEqual(['1.2e-5', '1230', '1.2e+8', '-']);
});
