import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inVersion, type Plugged, resultOf } from './result.ts';
import { CniError, CODES, parseRequest, VERSIONS } from './specification.ts';

const names = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS'] as const;
const right: Readonly<Record<string, string>> = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/p',
  CNI_IFNAME: 'eth0',
  CNI_ARGS:
    'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=00000000-0000-4000-8000-000000000001',
};
const configuration = { cniVersion: '1.0.0', name: 'kuryr', type: 'superfluidity-kuryr' };
const parse = (changes: object = {}, config: object = configuration) =>
  parseRequest(new Map(Object.entries({ ...right, ...changes })), JSON.stringify(config));

describe('what a runtime says', () => {
  test('is read, or refused in the words of the specification, whatever it is', () => {
    const value = fc.oneof(fc.constantFrom(...Object.values(right), 'DEL', 'GC', ''), fc.string({ unit: 'binary' }));
    const input = fc.oneof(
      fc.json(),
      fc.string(),
      fc.record({ cniVersion: fc.constantFrom(...VERSIONS), name: fc.string() }).map((v) => JSON.stringify(v)),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), input, (variables, text) => {
        try {
          const { verb, container, interface: device, pod } = parseRequest(new Map(Object.entries(variables)), text);
          if (['STATUS', 'GC', 'VERSION'].includes(verb)) return;
          // What becomes part of the name of a file, or of a device, is nothing else.
          expect(container).toMatch(/^[a-zA-Z0-9][\w.-]*$/);
          expect(device).not.toMatch(/[/\s:]/);
          if (verb === 'ADD') expect(pod).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(CniError);
          expect(Object.values(CODES)).toContain((error as CniError).code);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('names the pod, and may leave out where it was with DEL alone', () => {
    expect(parse().pod).toEqual({ namespace: 'default', name: 'web-0', uid: '00000000-0000-4000-8000-000000000001' });
    expect(parse({ CNI_COMMAND: 'DEL', CNI_NETNS: '', CNI_ARGS: '' })).toMatchObject({ verb: 'DEL', container: 'c1' });
    const code = (changes: object, config?: object) => {
      try {
        parse(changes, config);
        return 0;
      } catch (error) {
        return (error as CniError).code;
      }
    };
    expect(code({ CNI_NETNS: '' })).toBe(CODES.environment);
    expect(code({ CNI_IFNAME: '..' })).toBe(CODES.environment);
    expect(code({ CNI_IFNAME: 'sixteen-letters-' })).toBe(CODES.environment);
    expect(code({ CNI_ARGS: 'K8S_POD_NAME' })).toBe(CODES.environment);
    expect(code({ CNI_ARGS: '' })).toBe(CODES.environment);
    // What is to be removed is named by container and interface.
    expect(code({ CNI_COMMAND: 'DEL', CNI_ARGS: 'K8S_POD_NAME' })).toBe(0);
    expect(code({}, { ...configuration, name: undefined })).toBe(CODES.configuration);
    expect(code({}, { ...configuration, cniVersion: '0.1.0' })).toBe(CODES.version);
    expect(code({ CNI_COMMAND: 'STATUS' })).toBe(CODES.version);
    expect(code({ CNI_COMMAND: 'STATUS' }, { cniVersion: '1.1.0' })).toBe(0);
  });

  test('includes what is still in use, by the name of today and by that of drafts', () => {
    const valid = [{ containerID: 'c1', ifname: 'eth0' }];
    const gc = (key: string) =>
      parse({ CNI_COMMAND: 'GC' }, { ...configuration, cniVersion: '1.1.0', [key]: valid }).configuration.valid;
    expect(gc('cni.dev/valid-attachments')).toEqual(valid);
    expect(gc('cni.dev/attachments')).toEqual(valid);
  });
});

const wish = (isDefault: boolean, addresses: readonly string[], gateway: string | undefined): PodInterface => ({
  id: 'p',
  mac: '02:00:00:00:00:01',
  addresses: [...addresses],
  ...(gateway === undefined ? {} : { gateway }),
  routes: [{ destination: '192.0.2.0/24', nextHop: '10.0.0.9' }],
  mtu: 1_500,
  active: true,
  isDefault,
  plugging: { kind: 'macvlan' },
});

describe('a result', () => {
  test('has the default interface first, each address at its interface, and routes of the default one alone', () => {
    const plugged: readonly Plugged[] = [
      { name: 'net1', netns: '/n', wish: wish(false, ['10.1.0.5/24'], '10.1.0.1') },
      {
        name: 'eth0',
        netns: '/n',
        wish: wish(true, ['10.0.0.5/24', '2001:db8::5/64'], '10.0.0.1'),
        host: { name: 't', mac: 'm' },
      },
    ];
    const result = resultOf(plugged, { cniVersion: '1.1.0', name: 'kuryr' });
    expect(result.interfaces!.map(({ name }) => name)).toEqual(['t', 'eth0', 'net1']);
    expect(result.ips).toEqual([
      { address: '10.0.0.5/24', gateway: '10.0.0.1', interface: 1 },
      { address: '2001:db8::5/64', interface: 1 },
      { address: '10.1.0.5/24', gateway: '10.1.0.1', interface: 2 },
    ]);
    expect(result.routes!.filter(({ dst }) => dst === '0.0.0.0/0')).toEqual([{ dst: '0.0.0.0/0', gw: '10.0.0.1' }]);
    expect(inVersion(result, { cniVersion: '0.4.0' }).ips!.map(({ version }) => version)).toEqual(['4', '6', '4']);
  });

  test('keeps what plugins before ours made, with its indices', () => {
    const before = {
      interfaces: [{ name: 'a' }, { name: 'b', sandbox: '/n' }],
      ips: [{ address: '192.0.2.1/24', interface: 1 }],
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (count) => {
        const plugged = Array.from(
          { length: count },
          (_, i): Plugged => ({
            name: `eth${i}`,
            netns: '/n',
            wish: wish(i === 0, [`10.0.${i}.5/24`], undefined),
            ...(i % 2 === 0 ? { host: { name: `tap${i}`, mac: 'm' } } : {}),
          }),
        );
        const { interfaces, ips } = resultOf(plugged, { cniVersion: '1.1.0', name: 'k', prevResult: before });
        expect(interfaces!.slice(0, 2)).toEqual(before.interfaces);
        expect(ips![0]).toEqual(before.ips[0]);
        for (const [i, { interface: index }] of ips!.slice(1).entries())
          expect(interfaces![index!]!.name).toBe(`eth${i}`);
      }),
    );
  });
});
