import { expect, test } from 'vitest';
import { placesOf, wayWords } from './ways.ts';

const unit = (path: string) => ({ path, environment: 'container' as const, wanted: 1 });
const network = { prefix: '10.0.0.0/8', mtu: 1_500, parts: [], ports: [] };

test('a function of one unit is that unit, and a network is named so', () => {
  const functions = [
    { name: 'web', units: [unit('web/web')] },
    { name: 'epc', units: [unit('epc/gateway'), unit('epc/mme')] },
  ];
  expect(placesOf({ functions, networks: [{ ...network, name: 'lan' }] })).toEqual([
    { name: 'web/web', words: 'web/web' },
    { name: 'epc', words: 'epc, all of it' },
    { name: 'epc/gateway', words: 'epc/gateway' },
    { name: 'epc/mme', words: 'epc/mme' },
    { name: 'lan', words: 'network lan' },
  ]);
});

test('a way is told by its end, and in doubt when something on it was not understood', () => {
  const way = {
    from: 'a#0',
    answered: true,
    arrivesAt: 'b#0',
    outcome: 'delivered',
    port: 'a:in',
    hops: [],
    layout: '',
  };
  expect(wayWords({ ...way, doubts: [] })).toEqual({ verdict: 'answered', colour: 'green', title: 'a#0 to b#0' });
  expect(wayWords({ ...way, doubts: ['a rule'] })).toMatchObject({ colour: 'orange' });
  expect(wayWords({ ...way, answered: false, doubts: [] })).toMatchObject({ verdict: 'no answer', colour: 'red' });
  const { arrivesAt: _none, ...lost } = { ...way, answered: false, outcome: 'dropped', port: 'fw:in', doubts: [] };
  expect(wayWords(lost)).toEqual({ verdict: 'dropped', colour: 'red', title: 'a#0 to fw:in' });
});
