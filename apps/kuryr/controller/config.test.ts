import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readKuryrConfig, readKuryrFile } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'superfluidity-kuryr-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the configuration', () => {
  test('of a cluster in the built-in fabric is short', async () => {
    const path = join(folder, 'linux.yaml');
    writeFileSync(path, 'cluster: edge\ndrivers: {vif: linux}\nlinux: {cidr: node}\n');
    expect(await readKuryrFile(path)).toMatchObject({
      drivers: { project: 'default', subnet: 'default', groups: 'default', balancer: 'none', attachments: 'none' },
      // Those of Kuryr.
      pool: { minimum: 5, batch: 10, updateMs: 20_000 },
      listen: { address: '127.0.0.1' },
      lease: { seconds: 15 },
    });
  });

  test.each([
    [{}, /cluster/],
    [{ cluster: 'c', drivers: { vif: 'linux' } }, /give linux or neutron/],
    [{ cluster: 'c', drivers: { vif: 'nested-vlan' }, linux: { cidr: 'node' } }, /vif is nested-vlan: give neutron/],
    [{ cluster: 'c', drivers: { vif: 'linux' }, linux: { cidr: 'everywhere' } }, /cidr/],
    [{ cluster: 'c', drivers: { vif: 'linux', subnet: 'namespace' }, linux: { cidr: 'node' } }, /cidr is a prefix/],
    [{ cluster: 'c', drivers: { vif: 'linux', balancer: 'octavia' }, linux: { cidr: 'node' } }, /serviceSubnet/],
    [{ cluster: 'c', drivers: { vif: 'neutron-vif' }, neutron: { groups: ['g'] } }, /give neutron.subnet/],
    [{ cluster: 'c', drivers: { vif: 'neutron-vif' }, neutron: { subnet: 's', groups: [] } }, /groups/],
    [{ cluster: 'c', drivers: { vif: 'linux' }, linux: { cidr: 'node', bridge: '../../etc' } }, /bridge/],
    [{ cluster: 'c', drivers: { vif: 'linux' }, linux: { cidr: 'node' }, listen: { address: '0.0.0.0' } }, /address/],
    [{ cluster: 'c', drivers: { vif: 'linux' }, linux: { cidr: 'node' }, colour: 'red' }, /colour/],
  ])('%j is refused by name', (value, reason) => {
    expect(() => readKuryrConfig(value, 'a test')).toThrow(
      expect.objectContaining({ code: 'SF-KURYR-CONFIG', message: expect.stringMatching(reason) }),
    );
  });

  test('a file that is not there, or no YAML, is refused with its name', async () => {
    await expect(readKuryrFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'SF-KURYR-CONFIG' });
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, 'a: [');
    await expect(readKuryrFile(path)).rejects.toThrow(/broken\.yaml/);
  });
});
