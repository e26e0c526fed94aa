import { gunzipSync } from 'node:zlib';
import type { Flavor, Port, Server } from '@superfluidity/openstack';
import '@superfluidity/site';
import type { UnitSpec } from '@superfluidity/site';
import { describe, expect, test } from 'vitest';
import { isAmong, readConfig } from './config.ts';
import { chooseFlavor } from './flavors.ts';
import { factOf, Marks, tag } from './marks.ts';
import { digestOf, metadataOf, recordOf, statusOf } from './server-record.ts';
import { userDataOf } from './user-data.ts';

const flavor = (name: string, vcpus: number, ram: number, disk: number, extra = {}): Flavor => ({
  id: `id-${name}`,
  name,
  vcpus,
  ram,
  disk,
  'OS-FLV-EXT-DATA:ephemeral': 0,
  'os-flavor-access:is_public': true,
  extra_specs: extra,
});

const spec: UnitSpec = {
  id: 'unit-a',
  service: 'svc',
  path: 'video/server',
  index: 3,
  host: 'nova',
  execution: {
    environment: 'vm',
    image: 'name:debian',
    command: ['serve', '--say', '"100 %" of $HOME'],
    env: { PASSWORD: 'se"cr$et\\' },
  },
  cpu: 0.5,
  memoryMiB: 500,
  storageMiB: 1_500,
  ports: [{ id: 'unit-a.eth0', name: 'eth0', network: 'svc.data', serviceAddresses: [] }],
  facts: { service: 'svc' },
};

describe('rules', () => {
  test('the smallest flavour that fits is chosen, one with special demands only where it is named', () => {
    const all = [
      flavor('large', 4, 4_096, 10),
      flavor('small', 1, 512, 1),
      flavor('pinned', 1, 512, 2, { 'hw:cpu_policy': 'dedicated' }),
      flavor('fits', 1, 512, 2),
    ];
    const rules = { units: {} };
    expect(chooseFlavor(all, spec, rules)?.name).toBe('fits');
    expect(chooseFlavor(all, spec, { ...rules, only: ['la*', 'pin*'] })?.name).toBe('pinned');
    expect(chooseFlavor(all, spec, { units: { 'video/server': 'id-small' } })?.name).toBe('small');
    expect(chooseFlavor(all, { ...spec, cpu: 5 }, rules)).toBeUndefined();
  });

  test('names are matched by parts between stars', () => {
    expect([isAmong(undefined, 'x'), isAmong(['a*c*e'], 'abcde'), isAmong(['a*c*e'], 'ace')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isAmong(['a*a'], 'a'), isAmong(['a*c'], 'acd'), isAmong(['a'], 'ab')]).toEqual([false, false, false]);
  });

  test('a site has a cloud or credentials, and floating IPs only with a network that they are of', () => {
    expect(readConfig('core', { cloud: 'north' })).toMatchObject({ cloud: 'north', deploy: 'direct' });
    for (const wrong of [
      { cloud: 'north', auth: { auth_url: 'http://127.0.0.1:5000/v3' } },
      { health: { reach: { kind: 'floating-ip' } } },
      { clouds: 'north' },
    ])
      expect(() => readConfig('core', wrong)).toThrow(expect.objectContaining({ code: 'SF-SITE-CONFIG' }));
  });

  test('marks survive what tags cannot hold, and tell the sites apart', () => {
    const marks = new Marks('site-1');
    expect(factOf([tag('name', 'a,b%2C')], 'name')).toBe('a,b%2C');
    expect(marks.isOurs({ description: marks.description('net-1') })).toBe(true);
    expect(marks.isOurs({ description: new Marks('site-11').description('net-1'), tags: [] })).toBe(false);
    const long = marks.serverTag('u'.repeat(200));
    expect([long.length <= 60, long === marks.serverTag('v'.repeat(200))]).toEqual([true, false]);
  });

  test('a unit is read back from the metadata of its server, which has nothing secret', () => {
    const port = { id: 'p', fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.9' }], mac_address: '02:00' } as Port;
    const metadata = metadataOf('site-1', spec, [port], undefined);
    expect(JSON.stringify(metadata)).not.toContain('cr$et');
    const server = { id: 'srv', status: 'ACTIVE', metadata, tags: [], addresses: {} } as unknown as Server;
    expect(recordOf('site-2', server)).toBeUndefined();
    const record = recordOf('site-1', server)!;
    expect(record.digest).toBe(digestOf(spec));
    expect(statusOf(record)).toMatchObject({
      id: 'unit-a',
      index: 3,
      state: 'running',
      ports: [{ id: 'unit-a.eth0', network: 'svc.data', address: '10.0.0.9', mac: '02:00', host: 'nova' }],
    });
    expect(digestOf({ ...spec, execution: { ...spec.execution, env: { PASSWORD: 'other' } } })).toBe(digestOf(spec));
    expect(digestOf({ ...spec, cpu: 2 })).not.toBe(digestOf(spec));
    const failed = { ...server, status: 'ERROR', fault: { message: 'No valid host was found' } } as Server;
    const { state, error } = statusOf(recordOf('site-1', failed)!);
    expect([state, error?.message]).toEqual(['failed', expect.stringContaining('No valid host')]);
  });

  test('user data quote what shells and systemd would take for theirs', () => {
    const text = gunzipSync(Buffer.from(userDataOf(spec), 'base64')).toString();
    expect(text.startsWith('#cloud-config\n')).toBe(true);
    const { write_files: files } = JSON.parse(text.slice(text.indexOf('\n'))) as {
      write_files: { path: string; content: string }[];
    };
    const content = (end: string) => files.find(({ path }) => path.endsWith(end))?.content;
    expect(content('environment')).toBe('PASSWORD="se\\"cr\\$et\\\\"\n');
    expect(content('.service')).toContain('ExecStart=/usr/bin/env "serve" "--say" "\\"100 %%\\" of $$HOME"');
    expect(JSON.parse(content('facts.json')!)).toEqual({ service: 'svc' });
    expect(text).not.toContain('bootcmd');
    const ports = [{ ...spec.ports[0]!, serviceAddresses: ['10.99.0.1'] }];
    expect(gunzipSync(Buffer.from(userDataOf({ ...spec, ports }), 'base64')).toString()).toContain(
      '"bootcmd":[["ip","address","replace","10.99.0.1/32","dev","lo"]]',
    );
  });
});
