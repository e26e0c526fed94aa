import { readFileSync } from 'node:fs';
import { readNative } from '@superfluidity/dialects';
import { type Service, unitsOf } from '@superfluidity/model';
import { interpret, layouts, type Packet, type ShownPath } from '@superfluidity/verify';
import { describe, expect, test } from 'vitest';
import { compareWithMeant, intendedNetwork } from './index.ts';
import { answering } from './packets.ts';
import { type Plane, planeOf } from './plane.ts';

const text = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');

function planeWith(...changes: readonly (readonly [from: string, to: string])[]): Plane {
  const changed = changes.reduce((all, [from, to]) => {
    expect(all).toContain(from);
    return all.replaceAll(from, to);
  }, text);
  const service = readNative(changed).service as Service;
  const placed = unitsOf(service).map(({ path }) => ({
    path,
    index: 0,
    site: path.startsWith('video') ? 'core' : 'edge',
    host: 'h1',
  }));
  return planeOf({ name: service.block.name, service, placed, links: [['edge', 'core']] });
}

const meant = planeWith();
const compared = (there: Plane, milliseconds?: number) =>
  compareWithMeant(meant, intendedNetwork(meant), intendedNetwork(there), milliseconds);

describe('what is there, held against what was meant', () => {
  test('is the same when it is the same, also when it is written in another way', () => {
    expect(compared(meant)).toMatchObject({ answer: 'holds', differences: [], dependsOn: [], leftOut: [] });
    const written = planeWith([
      'ip saddr 10.47.0.0/16 ip daddr 10.99.0.0/24 tcp dport 8080 ct state new',
      'ip daddr 10.99.0.0/25 ip saddr 10.47.0.0/16 ip protocol tcp tcp dport != { 0-8079, 8081-65535 } ct state new',
    ]);
    expect(compared(written)).toMatchObject({ answer: 'holds' });
  });

  test.each<[string, readonly (readonly [string, string])[], string]>([
    [
      'a port more',
      [
        ['tcp dport 8080 ct', 'tcp dport 8080-8081 ct'],
        ['      ports: [8080]\n', '      ports: [8080, 8081]\n'],
      ],
      'arrives at video/video#0 and its answer comes back, and was meant to be one that arrives nowhere',
    ],
    ['a port less', [['tcp dport 8080 ct', 'tcp dport 8081 ct']], 'arrives nowhere, and was meant'],
    [
      'no memory of connections',
      [['            ct state established,related counter name passed accept\n', '']],
      'arrives at video/video#0 and no answer comes back, and was meant',
    ],
    ['another mark on packets', [['ip dscp set af41', 'ip dscp set af42']], 'with another value of IPv4.dscp'],
    ['a source that is not translated', [[' masquerade', ' accept']], ''],
    ['a chain in another order', [['epc, offload, firewall]', 'epc, firewall, offload]']], ''],
  ])('%s is a difference, with a packet that shows it', (_name, changes, because) => {
    const there = planeWith(...changes);
    const found = compared(there);
    expect(found.answer).toBe('violated');
    const [first] = found.differences;
    expect(found.differences.map((each) => each.because).join('\n')).toContain(because);
    // An interpreter that shares no code with the engine sends that packet through each of them.
    for (const [paths, plane] of [
      [first!.meant, meant],
      [first!.there, there],
    ] as const) {
      expect(paths.map(({ outcome, port }) => `${outcome} ${port}`).toSorted()).toEqual(endsOf(plane, paths[0]!));
    }
    expect(first!.because).toMatch(/^A packet of \S+ .*\.$/);
  });

  test('is not known when there is no time, and then says so', () => {
    expect(compared(meant, 0)).toMatchObject({ answer: 'unknown', bound: 'milliseconds', differences: [] });
  });

  test('is not known when there is nothing to compare', () => {
    const nobody = { ...intendedNetwork(meant), units: [] };
    expect(compareWithMeant(meant, intendedNetwork(meant), nobody)).toMatchObject({ answer: 'unknown' });
  });

  test('leaves out units that only one side has, with the packets for them', () => {
    const without = { ...meant, units: meant.units.filter(({ path }) => path !== 'radio/rrh'), chains: [] };
    const [fewer, there] = [intendedNetwork(without), intendedNetwork({ ...meant, chains: [] })];
    expect(compareWithMeant(without, fewer, there)).toMatchObject({
      answer: 'holds',
      leftOut: ['packets of and for radio/rrh#0'],
    });
  });

  function endsOf(plane: Plane, path: ShownPath): readonly string[] {
    const { network, units } = intendedNetwork(plane);
    const { layout, values }: Packet = path.witness()!.sent;
    const { setup } = layouts.find(({ name }) => name === layout)!;
    return interpret(answering(network, units, { kept: true }), path.hops[0]!.port, setup, {
      fresh: (name, _width, ranges) => values.get(name) ?? ranges[0]![0],
    })
      .map(({ outcome, port }) => `${outcome} ${port}`)
      .toSorted();
  }
});
