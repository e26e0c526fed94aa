import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesBetween, draftOf, editNetworks, type NetworkEdit } from './network-edits.ts';

const text = readFileSync(new URL('../../../../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');
const nested = `superfluidity: 1
service:
  name: nest
  version: "1"
  networks: [{name: a, prefix: 10.1.0.0/16}, {name: b, prefix: 10.2.0.0/16}]
  functions:
    - name: pair # two of them
      units:
        - {name: one, environment: container, image: "host:", command: [sh], ports: [a, b]}
        - {name: two, environment: container, image: "host:", command: [sh], ports: [{name: left, network: b, bandwidthMbps: 5}]}
`;
const edited = (from: string, ...edits: NetworkEdit[]) =>
  edits.reduce((now, edit) => {
    const result = editNetworks(now, edit);
    if ('refused' in result) throw new Error(result.refused);
    return result.text;
  }, from);
const refused = (from: string, edit: NetworkEdit) => (editNetworks(from, edit) as { refused: string }).refused;

describe('edits of networks', () => {
  it('change one line and leave the others as they are', () => {
    const after = edited(text, { kind: 'set-prefix', name: 'ran', prefix: '10.77.0.0/16' });
    // But for blanks inside of braces, of which the text has both kinds.
    const plain = (all: string) => all.replaceAll(/\{ +| +\}/g, (part) => part.trim()).split('\n');
    const [old, now] = [plain(text), plain(after)];
    expect(now.filter((line, i) => line !== old[i])).toEqual(['    - {name: ran, prefix: 10.77.0.0/16}']);
    expect(changesBetween(text, after)).toEqual(['network ran has 10.77.0.0/16 instead of 10.46.0.0/16']);
  });

  it('attach, move and detach ports of units, wherever they stand', () => {
    const after = edited(
      nested,
      { kind: 'add-network', name: 'c', prefix: '10.3.0.0/16' },
      { kind: 'attach', unit: 'pair/two', network: 'c' },
      { kind: 'move-port', unit: 'pair/two', port: 'left', network: 'a' },
      { kind: 'set-bandwidth', unit: 'pair/two', port: 'left', mbps: undefined },
      { kind: 'detach', unit: 'pair/one', port: 'eth0' },
      { kind: 'set-bandwidth', unit: 'pair/one', port: 'eth1', mbps: 20 },
      { kind: 'set-mtu', name: 'a', mtu: 9_000 },
    );
    expect(after).toContain('# two of them');
    expect(draftOf(after)).toMatchObject({
      errors: [],
      ports: [
        { unit: 'pair/one', port: 'eth1', network: 'b', mbps: 20 },
        { unit: 'pair/two', port: 'left', network: 'a' },
        { unit: 'pair/two', port: 'eth1', network: 'c' },
      ],
    });
    expect(changesBetween(nested, after)).toEqual([
      'network a has an MTU of 9000 instead of 1500',
      'network c (10.3.0.0/16) is new',
      'pair/one.eth1 has 20 Mb/s',
      'pair/two.left moves from b to a',
      'pair/two.left has no limit',
      'pair/two.eth1 is attached to c',
      'pair/one.eth0 is detached from a',
    ]);
    expect(changesBetween(after, after)).toEqual([]);
  });

  it('are refused with a reason', () => {
    expect(refused(nested, { kind: 'remove-network', name: 'a' })).toContain('pair/one have ports');
    expect(refused(nested, { kind: 'set-prefix', name: 'a', prefix: '10.1.0.0/99' })).toContain('no IPv4 prefix');
    expect(refused(nested, { kind: 'set-mtu', name: 'a', mtu: 12 })).toContain('576');
    expect(refused(nested, { kind: 'attach', unit: 'pair/three', network: 'a' })).toContain('no unit');
    expect(refused(nested, { kind: 'move-port', unit: 'pair/one', port: 'eth9', network: 'a' })).toContain('no port');
    expect(refused(nested, { kind: 'add-network', name: 'a', prefix: '10.9.0.0/16' })).toContain('there is a network');
    expect(refused('nonsense: [', { kind: 'set-mtu', name: 'a', mtu: 1_500 })).toContain('designer');
  });

  it('are taken back by their opposites: attached and detached, the ports are what they were', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...draftOf(text).units),
        fc.constantFrom('users', 'ran', 'sgi', 'apps'),
        (unit, network) => {
          const after = edited(text, { kind: 'attach', unit, network });
          const [port] = draftOf(after)
            .ports.filter((one) => one.unit === unit)
            .slice(-1);
          expect(port).toMatchObject({ network });
          expect(draftOf(edited(after, { kind: 'detach', unit, port: port!.port })).ports).toEqual(draftOf(text).ports);
        },
      ),
      { numRuns: 12 },
    );
  });
});
