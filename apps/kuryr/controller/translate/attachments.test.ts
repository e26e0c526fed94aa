import { isSuperfluidityError } from '@superfluidity/core';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS as CLUSTER_LIMITS } from '../../kubernetes/limits.ts';
import { LIMITS } from '../limits.ts';
import { networkStatus, readAttachments, readDefinition } from './attachments.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const subdomain = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,40}[a-z0-9])?$/);
const device = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,14}$/).filter((one) => one !== 'lo' && one !== 'eth0');
const wishes = fc
  .array(
    fc.record({
      namespace: fc.option(label, { nil: undefined }),
      name: subdomain,
      interface: fc.option(device, { nil: undefined }),
    }),
    { maxLength: LIMITS.attachments },
  )
  .filter((all) => {
    const names = all.map((one, at) => one.interface ?? `net${at + 1}`);
    return new Set(names).size === names.length;
  });

/** What it comes to, or its refusal; nothing else is ever thrown. */
function readOr(text: string) {
  try {
    return readAttachments(text, 'own');
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-KURYR-ANNOTATION')) return error;
    throw error;
  }
}

describe('networks that a pod asks for', () => {
  test('are what both forms of the annotation say', () => {
    fc.assert(
      fc.property(wishes, fc.constantFrom('', ' ', '\n'), (all, space) => {
        const wanted = all.map((one, at) => ({
          namespace: one.namespace ?? 'own',
          name: one.name,
          interface: one.interface ?? `net${at + 1}`,
        }));
        const short = all.map(({ namespace, name, interface: inside }) =>
          [namespace === undefined ? name : `${namespace}/${name}`, ...(inside === undefined ? [] : [inside])].join(
            '@',
          ),
        );
        expect(readAttachments(short.join(`,${space}`) + space, 'own')).toEqual(wanted);
        expect(readAttachments(space + JSON.stringify(all, undefined, space), 'own')).toEqual(wanted);
        // As the client in Go writes it.
        const inGo = all.map((one) => ({ ...one, 'cni-args': null }));
        expect(readAttachments(JSON.stringify(inGo), 'own')).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  test('of whoever means no good are refused, or within bounds', () => {
    const piece = fc.constantFrom(
      'a',
      'a/b',
      '@',
      '/',
      ',',
      ' ',
      '..',
      'lo',
      'eth0',
      '[',
      ']',
      '{',
      '"',
      ':',
      '\u0000',
      'é',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.array(piece, { maxLength: 40 }).map((all) => all.join('')),
      fc.array(fc.record({ name: fc.anything(), interface: fc.anything() }, { requiredKeys: [] })).map((all) => {
        try {
          return JSON.stringify(all) ?? '';
        } catch {
          return '';
        }
      }),
    );
    let [read, refused] = [0, 0];
    fc.assert(
      fc.property(text, (said) => {
        const all = readOr(said);
        if (all instanceof Error) {
          refused += 1;
          // It becomes an event.
          expect(all.message.length).toBeLessThan(CLUSTER_LIMITS.eventCharacters);
          return;
        }
        read += 1;
        expect(all.length).toBeLessThanOrEqual(LIMITS.attachments);
        expect(new Set(all.map((one) => one.interface)).size).toBe(all.length);
        for (const { namespace, name, interface: inside } of all) {
          expect(namespace).toMatch(/^[a-z0-9][-a-z0-9]{0,62}$/);
          expect(name).toMatch(/^[a-z0-9][-.a-z0-9]{0,252}$/);
          expect(inside).toMatch(/^(?!lo$|eth0$)[A-Za-z][\w.-]{0,14}$/);
        }
      }),
      { numRuns: 1_000 },
    );
    expect([read > 10, refused > 100]).toEqual([true, true]);
  });

  test.each([
    ['a,a@net1', /two interfaces net1/],
    ['a@eth0', /interface "eth0"/],
    ['a@../x', /interface "\.\.\/x"/],
    ['a@sixteen-letters-', /interface/],
    ['A', /no NAMESPACE\/NAME/],
    ['a/b/c', /instead of NAMESPACE\/NAME@INTERFACE/],
    ['a,,b', /no NAMESPACE\/NAME/],
    ['[{"name":"a","ips":["10.0.0.5"]}]', /ips/],
    ['[{"name":"a","mac":"02:00:00:00:00:01"}]', /mac/],
    ['[{"name":"a","default-route":["10.0.0.1"]}]', /default-route/],
    ['{"name":"a"}', /no list/],
    ['[{"name":"a"}', /no list/],
    [Array.from({ length: 17 }, () => 'a').join(','), /asks for 17 interfaces, of which a pod can have 16/],
    [`${' '.repeat(20_000)}a`, /has 20001 characters/],
  ])('%s is refused by name', (text, reason) => {
    const refused = readOr(text);
    expect(refused).toBeInstanceOf(Error);
    expect((refused as Error).message).toMatch(reason);
  });
});

describe('a definition', () => {
  const config = (more: object) => JSON.stringify({ cniVersion: '1.0.0', type: 'superfluidity-kuryr', ...more });

  test('names a subnet of a cloud or a prefix, by itself or in a list', () => {
    expect(readDefinition('a/b', config({ subnet: '3f2c-77' }))).toEqual({ kind: 'cloud', subnet: '3f2c-77' });
    expect(readDefinition('a/b', config({ name: 'b', cidr: '10.5.0.0/24' }))).toEqual({
      kind: 'linux',
      cidr: '10.5.0.0/24',
    });
    const list = { cniVersion: '1.0.0', name: 'b', plugins: [{ type: 'superfluidity-kuryr', subnet: 'x' }] };
    expect(readDefinition('a/b', JSON.stringify(list))).toEqual({ kind: 'cloud', subnet: 'x' });
  });

  test.each([
    [undefined, /has no spec\.config/],
    ['', /is no configuration/],
    ['null', /is no configuration/],
    ['{"type":"macvlan","master":"eth0"}', /is no configuration of superfluidity-kuryr: "type/],
    [config({}), /either `subnet`/],
    [config({ subnet: 'x', cidr: '10.0.0.0/24' }), /either `subnet`/],
    [config({ subnet: '../../etc' }), /subnet/],
    [config({ subnet: 'x', ipam: { type: 'host-local' } }), /ipam/],
    [JSON.stringify({ plugins: [] }), /has 0 plugins/],
    [' '.repeat(20_000), /more than 16384 characters/],
  ])('%s is refused by name', (text, reason) => {
    expect(() => readDefinition('a/b', text)).toThrow(
      expect.objectContaining({ code: 'SF-KURYR-ATTACHMENT', message: expect.stringMatching(reason) }),
    );
  });

  test('of any text is read or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => readDefinition('a/b', text)).toThrow(expect.objectContaining({ code: 'SF-KURYR-ATTACHMENT' }));
      }),
    );
  });
});

describe('what a pod is told of its networks', () => {
  const given = (more: Partial<PodInterface>): PodInterface => ({
    id: 'x',
    mac: '02:00:00:00:00:01',
    addresses: ['10.0.0.5/24'],
    routes: [],
    mtu: 1_500,
    active: true,
    isDefault: false,
    plugging: { kind: 'bridge', bridge: 'b' },
    ...more,
  });

  test('is nothing where it asked for none, and else all of them, that of the cluster first', () => {
    expect(networkStatus({ eth0: given({ isDefault: true }) })).toBeUndefined();
    const text = networkStatus({
      data: given({ network: 'red/storage', addresses: ['10.5.0.7/24'], mac: '02:00:00:00:00:02' }),
      eth0: given({ isDefault: true }),
    });
    expect(JSON.parse(text!)).toEqual([
      { name: 'kuryr', interface: 'eth0', ips: ['10.0.0.5'], mac: '02:00:00:00:00:01', default: true, dns: {} },
      { name: 'red/storage', interface: 'data', ips: ['10.5.0.7'], mac: '02:00:00:00:00:02', dns: {} },
    ]);
  });
});
