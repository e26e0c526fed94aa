import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readMacTable } from './mac.ts';

const hex = fc.constantFrom(...'0189abfAF:.-g');
const address = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('0019.e72a.77ea', '00:19:e7:2a:77:ea', '00-19-E7-2A-77-EA', 'ffff.ffff.ffff'),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(hex, fc.nat(13))
      .map(([c, i]) => `${'0019.e72a.77ea'.slice(0, i)}${c}${'0019.e72a.77ea'.slice(i + 1)}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('', 'dev', '0019.e72a.77e\u0130', '0019e72a77ea00') },
);
const vlan = fc.constantFrom('1', '302', '4094', '4095', '00007', '0x10', '1e3', 'All', '*', '* 7', '-1', '\u0661');
const rest = fc.array(
  fc.constantFrom('DYNAMIC', 'Gi0/1', 'GigabitEthernet0/1', 'GigabitEthernet', 'Po9', 'eth0', 'dev', 'vlan', '7'),
  { maxLength: 4 },
);
const line = fc
  .tuple(
    fc.constantFrom('', ' ', '\u00a0'),
    vlan,
    address,
    rest,
    fc.constantFrom(' ', '\t ', '  '),
    fc.constantFrom('', '\r', ' '),
  )
  .map(([begin, of, at, more, blank, end]) => begin + [of, at, ...more].join(blank) + end);

it('a scanner reads of MAC tables what is read word by word', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const file = { path: 'sw.mac', text: lines.join('\n') };
      expect(readMacTable(file)).toEqual(readMacTable(file, () => false));
    }),
    { numRuns: 300 },
  );
});

it('knows a port by its long and its short name', () => {
  const text =
    '1 0019.e72a.77ea DYNAMIC GigabitEthernet0/1\n1 0019.e72a.77eb DYNAMIC Gi0/1\n* 1 0019.e72a.77ec DYNAMIC Gi0/1';
  const { value } = readMacTable({ path: 'sw.mac', text });
  expect(value.ports).toEqual(['Gi0/1']);
  expect([...value.addresses]).toEqual([0x0019_e72a_77ea, 0x0019_e72a_77eb, 0x0019_e72a_77ec]);
});
